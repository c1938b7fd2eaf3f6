SELECT s.unit AS unit, count() AS n, uniqExact(r._key) AS keys
FROM (SELECT cityHash64(`account`, `report_date`, `conversion_id`) AS _key, `account` FROM `affiliate_store`.`staging_0_conversions`) AS r
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

SELECT 1 FROM `affiliate_store`.`conversions` WHERE ((`account` = 'main')) AND (`account`, `report_date`, `conversion_id`) IN (SELECT `account`, `report_date`, `conversion_id` FROM `affiliate_store`.`staging_0_conversions`) LIMIT 1;

SELECT
    class, unit_before, unit_after, currency_before, currency_after, offer_moved, ages_moved, count() AS n,
    sum(payout_before) AS payout_was, sum(payout_after) AS payout_is, sum(revenue_before) AS revenue_was, sum(revenue_after) AS revenue_is
FROM
(
    SELECT
        max(fresh) AS has_after, min(fresh) = 0 AS has_before,
        maxIf(version, fresh = 0) AS version_before, maxIf(version, fresh = 1) AS version_after,
        multiIf(NOT has_before, 'added', NOT has_after, if(max(removable), 'removed', 'kept'), version_before = version_after, 'published',
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
        FROM (SELECT (cityHash64(`account`, `report_date`, `conversion_id`), xxh3(`account`, `report_date`, `conversion_id`)) AS _key, cityHash64(`network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`) AS _content, `account`, `_version`, `currency`, `payout`, `revenue`, `offer_id`, `click_at`, `created_at` FROM `affiliate_store`.`staging_0_conversions`) AS r
        INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
        WHERE 1
        UNION ALL
        SELECT 0 AS fresh, s.unit AS unit, r._key AS _key, r._content AS content, r._version AS version, 0 AS removable, toString(r.`currency`) AS currency, r.`payout` AS payout, r.`revenue` AS revenue, r.`offer_id` AS offer, toUInt32(if(toUnixTimestamp64Milli(r.`click_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`click_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520))) * 65536 + if(toUnixTimestamp64Milli(r.`created_at`) <= 0, 0, if(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 <= 72, intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1, least(intDiv(intDiv(greatest(1773144000000 - toUnixTimestamp64Milli(r.`created_at`), 0), 3600000) + 1 + 23, 24) * 24, 65520)))) AS ages
        FROM (SELECT (cityHash64(`account`, `report_date`, `conversion_id`), xxh3(`account`, `report_date`, `conversion_id`)) AS _key, cityHash64(`network`, `account`, `conversion_id`, `click_id`, `external_id`, `event_id`, `event_name`, `offer_id`, `offer_name`, `publisher_id`, `publisher_name`, `advertiser_id`, `advertiser_name`, `status`, `status_raw`, `status_reason`, `payout`, `revenue`, `profit`, `sale_amount`, `currency`, `payout_type`, `payment_status`, `created_at`, `click_at`, `updated_at`, `hold_until`, `report_date`, `country`, `region`, `city`, `ip`, `isp`, `connection_type`, `device_type`, `device_brand`, `device_model`, `os`, `os_version`, `browser`, `browser_version`, `user_agent`, `referer`, `sub1`, `sub2`, `sub3`, `sub4`, `sub5`, `sub6`, `sub7`, `sub8`, `is_test`, `extra`) AS _content, `account`, `_version`, `currency`, `payout`, `revenue`, `offer_id`, `click_at`, `created_at` FROM `affiliate_store`.`conversions` FINAL WHERE ((`account` = 'main')) AND (`account`, `report_date`, `conversion_id`) IN (SELECT `account`, `report_date`, `conversion_id` FROM `affiliate_store`.`staging_0_conversions`) AND `_deleted` = 0) AS r
        INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
        WHERE 1
    )
    GROUP BY _key
)
GROUP BY class, unit_before, unit_after, currency_before, currency_after, offer_moved, ages_moved
SETTINGS do_not_merge_across_partitions_select_final = 1;
