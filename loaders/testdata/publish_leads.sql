SELECT s.unit AS unit, count() AS n, uniqExactIf(r._key, r._deleted = 0) AS keys
FROM (SELECT cityHash64(`account`, `report_date`, `conversion_id`) AS _key, `account`, `_deleted` FROM `affiliate_store`.`staging_0_conversions`) AS r
INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
WHERE 1
GROUP BY unit;

SELECT s.unit AS unit, sum(r._content) AS content
FROM (SELECT cityHash64(`network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`) AS _content, `account` FROM `affiliate_store`.`staging_0_conversions`) AS r
INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
WHERE 1
GROUP BY unit;

SELECT s.unit AS unit, sum(r._content) AS content
FROM (SELECT cityHash64(`network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`) AS _content, `account` FROM `affiliate_store`.`staging_0_conversions` FINAL) AS r
INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
WHERE 1
GROUP BY unit;

SELECT 1 FROM `affiliate_store`.`conversions` WHERE ((`account` = 'other')) AND (`account`, `report_date`, `conversion_id`) IN (SELECT `account`, `report_date`, `conversion_id` FROM `affiliate_store`.`staging_0_conversions`) LIMIT 1;

SELECT
    class, unit_before, unit_after, currency_before, currency_after, offer_moved, ages_moved, count() AS n,
    sum(payout_before) AS payout_was, sum(payout_after) AS payout_is, sum(revenue_before) AS revenue_was, sum(revenue_after) AS revenue_is
FROM
(
    SELECT
        max(fresh = 1) AS has_after, min(fresh) = 0 AS has_before,
        maxIf(version, fresh = 0) AS version_before, maxIf(version, fresh = 1) AS version_after,
        multiIf(NOT has_before, 'added', NOT has_after, multiIf(maxIf(version, fresh = 2) > version_before, 'buried', max(removable), 'removed', 'kept'), version_before = version_after, 'published',
            version_before > version_after OR anyIf(content, fresh = 0) = anyIf(content, fresh = 1), 'same', 'changed') AS class,
        maxIf(unit, fresh = 0) AS unit_before, maxIf(unit, fresh = 1) AS unit_after,
        anyIf(currency, fresh = 0) AS currency_before, anyIf(currency, fresh = 1) AS currency_after,
        anyIf(payout, fresh = 0) AS payout_before, anyIf(payout, fresh = 1) AS payout_after,
        anyIf(revenue, fresh = 0) AS revenue_before, anyIf(revenue, fresh = 1) AS revenue_after,
        class IN ('added', 'changed', 'removed', 'buried') AS moved,
        if(moved, any(offer), '') AS offer_moved, if(moved, max(ages), 0) AS ages_moved
    FROM
    (
        SELECT 1 AS fresh, s.unit AS unit, r._key AS _key, r._content AS content, r._version AS version, 0 AS removable, toString(r.`currency`) AS currency, r.`payout` AS payout, r.`revenue` AS revenue, r.`offer_id` AS offer, toUInt32(if(toUnixTimestamp64Milli(r.`click_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520))) * 65536 + if(toUnixTimestamp64Milli(r.`created_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520)))) AS ages
        FROM (SELECT (cityHash64(`account`, `report_date`, `conversion_id`), xxh3(`account`, `report_date`, `conversion_id`)) AS _key, cityHash64(`network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`) AS _content, `account`, `_version`, `currency`, `payout`, `revenue`, `offer_id`, `click_at`, `created_at` FROM `affiliate_store`.`staging_0_conversions` WHERE `_deleted` = 0) AS r
        INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
        WHERE 1
        UNION ALL
        SELECT 0 AS fresh, s.unit AS unit, r._key AS _key, r._content AS content, r._version AS version, 0 AS removable, toString(r.`currency`) AS currency, r.`payout` AS payout, r.`revenue` AS revenue, r.`offer_id` AS offer, toUInt32(if(toUnixTimestamp64Milli(r.`click_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520))) * 65536 + if(toUnixTimestamp64Milli(r.`created_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520)))) AS ages
        FROM (SELECT (cityHash64(`account`, `report_date`, `conversion_id`), xxh3(`account`, `report_date`, `conversion_id`)) AS _key, cityHash64(`network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`) AS _content, `account`, `_version`, `currency`, `payout`, `revenue`, `offer_id`, `click_at`, `created_at` FROM `affiliate_store`.`conversions` FINAL WHERE ((`account` = 'other')) AND (`account`, `report_date`, `conversion_id`) IN (SELECT `account`, `report_date`, `conversion_id` FROM `affiliate_store`.`staging_0_conversions`) AND `_deleted` = 0) AS r
        INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
        WHERE 1
        UNION ALL
        SELECT 2 AS fresh, s.unit AS unit, r._key AS _key, r._content AS content, r._version AS version, 0 AS removable, toString(r.`currency`) AS currency, r.`payout` AS payout, r.`revenue` AS revenue, r.`offer_id` AS offer, toUInt32(if(toUnixTimestamp64Milli(r.`click_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520))) * 65536 + if(toUnixTimestamp64Milli(r.`created_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520)))) AS ages
        FROM (SELECT (cityHash64(`account`, `report_date`, `conversion_id`), xxh3(`account`, `report_date`, `conversion_id`)) AS _key, cityHash64(`network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`) AS _content, `account`, `_version`, `currency`, `payout`, `revenue`, `offer_id`, `click_at`, `created_at` FROM `affiliate_store`.`staging_0_conversions` WHERE `_deleted` = 1) AS r
        INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
        WHERE 1
    )
    GROUP BY _key
    HAVING has_before OR has_after
)
GROUP BY class, unit_before, unit_after, currency_before, currency_after, offer_moved, ages_moved
SETTINGS do_not_merge_across_partitions_select_final = 1;

SELECT s.unit AS unit, count() AS n, uniqExactIf(r._key, r._deleted = 0) AS keys
FROM (SELECT cityHash64(`account`, `report_date`, `conversion_id`) AS _key, `account`, `_deleted` FROM `affiliate_store`.`staging_0_conversions`) AS r
INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
WHERE 1
GROUP BY unit;

SELECT s.unit AS unit, sum(r._content) AS content
FROM (SELECT cityHash64(`network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`) AS _content, `account` FROM `affiliate_store`.`staging_0_conversions`) AS r
INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
WHERE 1
GROUP BY unit;

SELECT s.unit AS unit, sum(r._content) AS content
FROM (SELECT cityHash64(`network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`) AS _content, `account` FROM `affiliate_store`.`staging_0_conversions` FINAL) AS r
INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
WHERE 1
GROUP BY unit;

SELECT 1 FROM `affiliate_store`.`conversions` WHERE (((`account` = 'main' AND `created_at` >= toDateTime64('2026-03-02 00:00:00.000', 3, 'UTC') AND `created_at` < toDateTime64('2026-03-03 00:00:00.000', 3, 'UTC') AND `report_date` >= toDate('2026-03-01') AND `report_date` < toDate('2026-03-04'))) OR ((`account` = 'main')) AND (`account`, `report_date`, `conversion_id`) IN (SELECT `account`, `report_date`, `conversion_id` FROM `affiliate_store`.`staging_0_conversions`)) LIMIT 1;

SELECT
    class, unit_before, unit_after, currency_before, currency_after, offer_moved, ages_moved, count() AS n,
    sum(payout_before) AS payout_was, sum(payout_after) AS payout_is, sum(revenue_before) AS revenue_was, sum(revenue_after) AS revenue_is
FROM
(
    SELECT
        max(fresh = 1) AS has_after, min(fresh) = 0 AS has_before,
        maxIf(version, fresh = 0) AS version_before, maxIf(version, fresh = 1) AS version_after,
        multiIf(NOT has_before, 'added', NOT has_after, multiIf(maxIf(version, fresh = 2) > version_before, 'buried', max(removable), 'removed', 'kept'), version_before = version_after, 'published',
            version_before > version_after OR anyIf(content, fresh = 0) = anyIf(content, fresh = 1), 'same', 'changed') AS class,
        maxIf(unit, fresh = 0) AS unit_before, maxIf(unit, fresh = 1) AS unit_after,
        anyIf(currency, fresh = 0) AS currency_before, anyIf(currency, fresh = 1) AS currency_after,
        anyIf(payout, fresh = 0) AS payout_before, anyIf(payout, fresh = 1) AS payout_after,
        anyIf(revenue, fresh = 0) AS revenue_before, anyIf(revenue, fresh = 1) AS revenue_after,
        class IN ('added', 'changed', 'removed', 'buried') AS moved,
        if(moved, any(offer), '') AS offer_moved, if(moved, max(ages), 0) AS ages_moved
    FROM
    (
        SELECT 1 AS fresh, s.unit AS unit, r._key AS _key, r._content AS content, r._version AS version, 0 AS removable, toString(r.`currency`) AS currency, r.`payout` AS payout, r.`revenue` AS revenue, r.`offer_id` AS offer, toUInt32(if(toUnixTimestamp64Milli(r.`click_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520))) * 65536 + if(toUnixTimestamp64Milli(r.`created_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520)))) AS ages
        FROM (SELECT (cityHash64(`account`, `report_date`, `conversion_id`), xxh3(`account`, `report_date`, `conversion_id`)) AS _key, cityHash64(`network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`) AS _content, `account`, `created_at`, `_version`, `currency`, `payout`, `revenue`, `offer_id`, `click_at`, `_window` FROM `affiliate_store`.`staging_0_conversions` WHERE `_deleted` = 0) AS r
        INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
        WHERE 1
        UNION ALL
        SELECT 0 AS fresh, s.unit AS unit, r._key AS _key, r._content AS content, r._version AS version, r._version < s.version AND r.`created_at` >= s.low AND r.`created_at` < s.high AND toUnixTimestamp(r._window) > 0 AS removable, toString(r.`currency`) AS currency, r.`payout` AS payout, r.`revenue` AS revenue, r.`offer_id` AS offer, toUInt32(if(toUnixTimestamp64Milli(r.`click_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520))) * 65536 + if(toUnixTimestamp64Milli(r.`created_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520)))) AS ages
        FROM (SELECT (cityHash64(`account`, `report_date`, `conversion_id`), xxh3(`account`, `report_date`, `conversion_id`)) AS _key, cityHash64(`network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`) AS _content, `account`, `created_at`, `_version`, `currency`, `payout`, `revenue`, `offer_id`, `click_at`, `_window` FROM `affiliate_store`.`conversions` FINAL WHERE (((`account` = 'main' AND `created_at` >= toDateTime64('2026-03-02 00:00:00.000', 3, 'UTC') AND `created_at` < toDateTime64('2026-03-03 00:00:00.000', 3, 'UTC') AND `report_date` >= toDate('2026-03-01') AND `report_date` < toDate('2026-03-04'))) OR ((`account` = 'main')) AND (`account`, `report_date`, `conversion_id`) IN (SELECT `account`, `report_date`, `conversion_id` FROM `affiliate_store`.`staging_0_conversions`)) AND `_deleted` = 0) AS r
        INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
        WHERE 1
        UNION ALL
        SELECT 2 AS fresh, s.unit AS unit, r._key AS _key, r._content AS content, r._version AS version, 0 AS removable, toString(r.`currency`) AS currency, r.`payout` AS payout, r.`revenue` AS revenue, r.`offer_id` AS offer, toUInt32(if(toUnixTimestamp64Milli(r.`click_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520))) * 65536 + if(toUnixTimestamp64Milli(r.`created_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520)))) AS ages
        FROM (SELECT (cityHash64(`account`, `report_date`, `conversion_id`), xxh3(`account`, `report_date`, `conversion_id`)) AS _key, cityHash64(`network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`) AS _content, `account`, `created_at`, `_version`, `currency`, `payout`, `revenue`, `offer_id`, `click_at`, `_window` FROM `affiliate_store`.`staging_0_conversions` WHERE `_deleted` = 1) AS r
        INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
        WHERE 1
    )
    GROUP BY _key
    HAVING has_before OR has_after
)
GROUP BY class, unit_before, unit_after, currency_before, currency_after, offer_moved, ages_moved
SETTINGS do_not_merge_across_partitions_select_final = 1;

INSERT INTO `affiliate_store`.`staging_0_conversions` (`network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`, `_window`, `_version`, `_deleted`, `_synced_at`, `_run_id`)
SELECT r.`network`, r.`account`, r.`conversion_id`, r.`click_id`, r.`external_id`, r.`event_id`, r.`event_name`, r.`offer_id`, r.`offer_name`, r.`publisher_id`, r.`publisher_name`, r.`advertiser_id`, r.`advertiser_name`, r.`status`, r.`status_raw`, r.`status_reason`, r.`payout`, r.`revenue`, r.`profit`, r.`sale_amount`, r.`currency`, r.`payout_type`, r.`payment_status`, r.`created_at`, r.`click_at`, r.`updated_at`, r.`hold_until`, r.`report_date`, r.`country`, r.`region`, r.`city`, r.`ip`, r.`isp`, r.`connection_type`, r.`device_type`, r.`device_brand`, r.`device_model`, r.`os`, r.`os_version`, r.`browser`, r.`browser_version`, r.`user_agent`, r.`referer`, r.`sub1`, r.`sub2`, r.`sub3`, r.`sub4`, r.`sub5`, r.`sub6`, r.`sub7`, r.`sub8`, r.`is_test`, r.`extra`, s.window, s.version, 1, now64(3, 'UTC'), s.run
FROM (SELECT (cityHash64(`account`, `report_date`, `conversion_id`), xxh3(`account`, `report_date`, `conversion_id`)) AS _key, `network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`, `_window`, `_version`, `_deleted`, `_synced_at`, `_run_id` FROM `affiliate_store`.`conversions` FINAL WHERE ((`account` = 'main' AND `created_at` >= toDateTime64('2026-03-02 00:00:00.000', 3, 'UTC') AND `created_at` < toDateTime64('2026-03-03 00:00:00.000', 3, 'UTC') AND `report_date` >= toDate('2026-03-01') AND `report_date` < toDate('2026-03-04'))) AND `_deleted` = 0) AS r
ASOF INNER JOIN unit_scopes AS s ON toString(r.account) = s.account AND r.`created_at` >= s.low
WHERE r.`created_at` < s.high AND r._version < s.version AND toUnixTimestamp(r._window) > 0 AND r._key NOT IN (SELECT (cityHash64(`account`, `report_date`, `conversion_id`), xxh3(`account`, `report_date`, `conversion_id`)) FROM `affiliate_store`.`staging_0_conversions`)
SETTINGS do_not_merge_across_partitions_select_final = 1;
