SELECT s.unit AS unit, count() AS n, uniqExact(r._key) AS keys
FROM (SELECT cityHash64(`account`, `offer_id`) AS _key, `account` FROM `affiliate_store`.`staging_0_offers`) AS r
INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
WHERE 1
GROUP BY unit;

SELECT s.unit AS unit, sum(r._content) AS content
FROM (SELECT cityHash64(`network`, `account`, `offer_id`, `network_offer_id`, `external_id`, `integration_id`, `name`, `status`, `status_raw`, `advertiser_id`, `advertiser_name`, `description`, `preview_url`, `tracking_url`, `destination_url`, `logo_url`, `currency`, `payout`, `payout_type`, `revenue`, `countries`, `categories`, `tags`, `privacy`, `is_private`, `is_top`, `requires_approval`, `hold_days`, `conversion_rate`, `epc`, `caps`, `targeting`, `starts_at`, `ends_at`, `created_at`, `updated_at`, `extra`) AS _content, `account` FROM `affiliate_store`.`staging_0_offers`) AS r
INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
WHERE 1
GROUP BY unit;

SELECT s.unit AS unit, sum(r._content) AS content
FROM (SELECT cityHash64(`network`, `account`, `offer_id`, `network_offer_id`, `external_id`, `integration_id`, `name`, `status`, `status_raw`, `advertiser_id`, `advertiser_name`, `description`, `preview_url`, `tracking_url`, `destination_url`, `logo_url`, `currency`, `payout`, `payout_type`, `revenue`, `countries`, `categories`, `tags`, `privacy`, `is_private`, `is_top`, `requires_approval`, `hold_days`, `conversion_rate`, `epc`, `caps`, `targeting`, `starts_at`, `ends_at`, `created_at`, `updated_at`, `extra`) AS _content, `account` FROM `affiliate_store`.`staging_0_offers` FINAL) AS r
INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
WHERE 1
GROUP BY unit;

SELECT 1 FROM `affiliate_store`.`offers` WHERE ((`account` = 'main')) LIMIT 1;

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
        SELECT 1 AS fresh, s.unit AS unit, r._key AS _key, r._content AS content, r._version AS version, 0 AS removable, toString(r.`currency`) AS currency, r.`payout` AS payout, r.`revenue` AS revenue, '' AS offer, toUInt32(0) AS ages
        FROM (SELECT (cityHash64(`account`, `offer_id`), xxh3(`account`, `offer_id`)) AS _key, cityHash64(`network`, `account`, `offer_id`, `network_offer_id`, `external_id`, `integration_id`, `name`, `status`, `status_raw`, `advertiser_id`, `advertiser_name`, `description`, `preview_url`, `tracking_url`, `destination_url`, `logo_url`, `currency`, `payout`, `payout_type`, `revenue`, `countries`, `categories`, `tags`, `privacy`, `is_private`, `is_top`, `requires_approval`, `hold_days`, `conversion_rate`, `epc`, `caps`, `targeting`, `starts_at`, `ends_at`, `created_at`, `updated_at`, `extra`) AS _content, `account`, `_version`, `currency`, `payout`, `revenue` FROM `affiliate_store`.`staging_0_offers`) AS r
        INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
        WHERE 1
        UNION ALL
        SELECT 0 AS fresh, s.unit AS unit, r._key AS _key, r._content AS content, r._version AS version, r._version < s.version AS removable, toString(r.`currency`) AS currency, r.`payout` AS payout, r.`revenue` AS revenue, '' AS offer, toUInt32(0) AS ages
        FROM (SELECT (cityHash64(`account`, `offer_id`), xxh3(`account`, `offer_id`)) AS _key, cityHash64(`network`, `account`, `offer_id`, `network_offer_id`, `external_id`, `integration_id`, `name`, `status`, `status_raw`, `advertiser_id`, `advertiser_name`, `description`, `preview_url`, `tracking_url`, `destination_url`, `logo_url`, `currency`, `payout`, `payout_type`, `revenue`, `countries`, `categories`, `tags`, `privacy`, `is_private`, `is_top`, `requires_approval`, `hold_days`, `conversion_rate`, `epc`, `caps`, `targeting`, `starts_at`, `ends_at`, `created_at`, `updated_at`, `extra`) AS _content, `account`, `_version`, `currency`, `payout`, `revenue` FROM `affiliate_store`.`offers` FINAL WHERE ((`account` = 'main')) AND `_deleted` = 0) AS r
        INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
        WHERE 1
    )
    GROUP BY _key
)
GROUP BY class, unit_before, unit_after, currency_before, currency_after, offer_moved, ages_moved
SETTINGS do_not_merge_across_partitions_select_final = 1;

INSERT INTO `affiliate_store`.`staging_0_offers` (`network`, `account`, `offer_id`, `network_offer_id`, `external_id`, `integration_id`, `name`, `status`, `status_raw`, `advertiser_id`, `advertiser_name`, `description`, `preview_url`, `tracking_url`, `destination_url`, `logo_url`, `currency`, `payout`, `payout_type`, `revenue`, `countries`, `categories`, `tags`, `privacy`, `is_private`, `is_top`, `requires_approval`, `hold_days`, `conversion_rate`, `epc`, `caps`, `targeting`, `starts_at`, `ends_at`, `created_at`, `updated_at`, `extra`, `_window`, `_version`, `_deleted`, `_synced_at`, `_run_id`)
SELECT r.`network`, r.`account`, r.`offer_id`, r.`network_offer_id`, r.`external_id`, r.`integration_id`, r.`name`, r.`status`, r.`status_raw`, r.`advertiser_id`, r.`advertiser_name`, r.`description`, r.`preview_url`, r.`tracking_url`, r.`destination_url`, r.`logo_url`, r.`currency`, r.`payout`, r.`payout_type`, r.`revenue`, r.`countries`, r.`categories`, r.`tags`, r.`privacy`, r.`is_private`, r.`is_top`, r.`requires_approval`, r.`hold_days`, r.`conversion_rate`, r.`epc`, r.`caps`, r.`targeting`, r.`starts_at`, r.`ends_at`, r.`created_at`, r.`updated_at`, r.`extra`, s.window, s.version, 1, now64(3, 'UTC'), s.run
FROM (SELECT (cityHash64(`account`, `offer_id`), xxh3(`account`, `offer_id`)) AS _key, `network`, `account`, `offer_id`, `network_offer_id`, `external_id`, `integration_id`, `name`, `status`, `status_raw`, `advertiser_id`, `advertiser_name`, `description`, `preview_url`, `tracking_url`, `destination_url`, `logo_url`, `currency`, `payout`, `payout_type`, `revenue`, `countries`, `categories`, `tags`, `privacy`, `is_private`, `is_top`, `requires_approval`, `hold_days`, `conversion_rate`, `epc`, `caps`, `targeting`, `starts_at`, `ends_at`, `created_at`, `updated_at`, `extra`, `_window`, `_version`, `_deleted`, `_synced_at`, `_run_id` FROM `affiliate_store`.`offers` FINAL WHERE ((`account` = 'main')) AND `_deleted` = 0) AS r
INNER JOIN unit_scopes AS s ON toString(r.account) = s.account
WHERE 1 AND r._version < s.version AND r._key NOT IN (SELECT (cityHash64(`account`, `offer_id`), xxh3(`account`, `offer_id`)) FROM `affiliate_store`.`staging_0_offers`)
SETTINGS do_not_merge_across_partitions_select_final = 1;
