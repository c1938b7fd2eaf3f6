SELECT s.unit AS unit, count() AS n, uniqExact(r._key) AS keys
FROM (SELECT cityHash64(`account`, `report`, `report_date`, `report_hour`, `dimension_key`) AS _key, `account`, `report`, `report_date` FROM `affiliate_store`.`staging_0_stats`) AS r
ASOF INNER JOIN unit_scopes AS s ON toString(r.account) = s.account AND toString(r.`report`) = s.equal_0 AND r.`report_date` >= s.low
WHERE r.`report_date` < s.high
GROUP BY unit;

SELECT s.unit AS unit, sum(r._content) AS content
FROM (SELECT cityHash64(`network`, `account`, `report`, `report_date`, `report_hour`, `dimension_key`, `dimensions`, `offer_id`, `publisher_id`, `country`, `sub1`, `currency`, `impressions`, `clicks`, `unique_clicks`, `conversions`, `payout`, `revenue`, `profit`, `approved_conversions`, `approved_payout`, `approved_revenue`, `pending_conversions`, `pending_payout`, `pending_revenue`, `hold_conversions`, `hold_payout`, `hold_revenue`, `rejected_conversions`, `rejected_payout`, `rejected_revenue`, `trash_conversions`, `trash_payout`, `trash_revenue`, `extra`) AS _content, `account`, `report`, `report_date` FROM `affiliate_store`.`staging_0_stats`) AS r
ASOF INNER JOIN unit_scopes AS s ON toString(r.account) = s.account AND toString(r.`report`) = s.equal_0 AND r.`report_date` >= s.low
WHERE r.`report_date` < s.high
GROUP BY unit;

SELECT s.unit AS unit, sum(r._content) AS content
FROM (SELECT cityHash64(`network`, `account`, `report`, `report_date`, `report_hour`, `dimension_key`, `dimensions`, `offer_id`, `publisher_id`, `country`, `sub1`, `currency`, `impressions`, `clicks`, `unique_clicks`, `conversions`, `payout`, `revenue`, `profit`, `approved_conversions`, `approved_payout`, `approved_revenue`, `pending_conversions`, `pending_payout`, `pending_revenue`, `hold_conversions`, `hold_payout`, `hold_revenue`, `rejected_conversions`, `rejected_payout`, `rejected_revenue`, `trash_conversions`, `trash_payout`, `trash_revenue`, `extra`) AS _content, `account`, `report`, `report_date` FROM `affiliate_store`.`staging_0_stats` FINAL) AS r
ASOF INNER JOIN unit_scopes AS s ON toString(r.account) = s.account AND toString(r.`report`) = s.equal_0 AND r.`report_date` >= s.low
WHERE r.`report_date` < s.high
GROUP BY unit;

SELECT 1 FROM `affiliate_store`.`stats` WHERE ((`account` = 'o\'hara\\' AND `report` = 'by_offer' AND `report_date` >= toDate('2026-03-01') AND `report_date` < toDate('2026-03-02'))) LIMIT 1;

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
        FROM (SELECT (cityHash64(`account`, `report`, `report_date`, `report_hour`, `dimension_key`), xxh3(`account`, `report`, `report_date`, `report_hour`, `dimension_key`)) AS _key, cityHash64(`network`, `account`, `report`, `report_date`, `report_hour`, `dimension_key`, `dimensions`, `offer_id`, `publisher_id`, `country`, `sub1`, `currency`, `impressions`, `clicks`, `unique_clicks`, `conversions`, `payout`, `revenue`, `profit`, `approved_conversions`, `approved_payout`, `approved_revenue`, `pending_conversions`, `pending_payout`, `pending_revenue`, `hold_conversions`, `hold_payout`, `hold_revenue`, `rejected_conversions`, `rejected_payout`, `rejected_revenue`, `trash_conversions`, `trash_payout`, `trash_revenue`, `extra`) AS _content, `account`, `report`, `report_date`, `_version`, `currency`, `payout`, `revenue` FROM `affiliate_store`.`staging_0_stats`) AS r
        ASOF INNER JOIN unit_scopes AS s ON toString(r.account) = s.account AND toString(r.`report`) = s.equal_0 AND r.`report_date` >= s.low
        WHERE r.`report_date` < s.high
        UNION ALL
        SELECT 0 AS fresh, s.unit AS unit, r._key AS _key, r._content AS content, r._version AS version, r._version < s.version AS removable, toString(r.`currency`) AS currency, r.`payout` AS payout, r.`revenue` AS revenue, '' AS offer, toUInt32(0) AS ages
        FROM (SELECT (cityHash64(`account`, `report`, `report_date`, `report_hour`, `dimension_key`), xxh3(`account`, `report`, `report_date`, `report_hour`, `dimension_key`)) AS _key, cityHash64(`network`, `account`, `report`, `report_date`, `report_hour`, `dimension_key`, `dimensions`, `offer_id`, `publisher_id`, `country`, `sub1`, `currency`, `impressions`, `clicks`, `unique_clicks`, `conversions`, `payout`, `revenue`, `profit`, `approved_conversions`, `approved_payout`, `approved_revenue`, `pending_conversions`, `pending_payout`, `pending_revenue`, `hold_conversions`, `hold_payout`, `hold_revenue`, `rejected_conversions`, `rejected_payout`, `rejected_revenue`, `trash_conversions`, `trash_payout`, `trash_revenue`, `extra`) AS _content, `account`, `report`, `report_date`, `_version`, `currency`, `payout`, `revenue` FROM `affiliate_store`.`stats` FINAL WHERE ((`account` = 'o\'hara\\' AND `report` = 'by_offer' AND `report_date` >= toDate('2026-03-01') AND `report_date` < toDate('2026-03-02'))) AND `_deleted` = 0) AS r
        ASOF INNER JOIN unit_scopes AS s ON toString(r.account) = s.account AND toString(r.`report`) = s.equal_0 AND r.`report_date` >= s.low
        WHERE r.`report_date` < s.high
    )
    GROUP BY _key
)
GROUP BY class, unit_before, unit_after, currency_before, currency_after, offer_moved, ages_moved
SETTINGS do_not_merge_across_partitions_select_final = 1;

INSERT INTO `affiliate_store`.`staging_0_stats` (`network`, `account`, `report`, `report_date`, `report_hour`, `dimension_key`, `dimensions`, `offer_id`, `publisher_id`, `country`, `sub1`, `currency`, `impressions`, `clicks`, `unique_clicks`, `conversions`, `payout`, `revenue`, `profit`, `approved_conversions`, `approved_payout`, `approved_revenue`, `pending_conversions`, `pending_payout`, `pending_revenue`, `hold_conversions`, `hold_payout`, `hold_revenue`, `rejected_conversions`, `rejected_payout`, `rejected_revenue`, `trash_conversions`, `trash_payout`, `trash_revenue`, `extra`, `_window`, `_version`, `_deleted`, `_synced_at`, `_run_id`)
SELECT r.`network`, r.`account`, r.`report`, r.`report_date`, r.`report_hour`, r.`dimension_key`, r.`dimensions`, r.`offer_id`, r.`publisher_id`, r.`country`, r.`sub1`, r.`currency`, r.`impressions`, r.`clicks`, r.`unique_clicks`, r.`conversions`, r.`payout`, r.`revenue`, r.`profit`, r.`approved_conversions`, r.`approved_payout`, r.`approved_revenue`, r.`pending_conversions`, r.`pending_payout`, r.`pending_revenue`, r.`hold_conversions`, r.`hold_payout`, r.`hold_revenue`, r.`rejected_conversions`, r.`rejected_payout`, r.`rejected_revenue`, r.`trash_conversions`, r.`trash_payout`, r.`trash_revenue`, r.`extra`, s.window, s.version, 1, now64(3, 'UTC'), s.run
FROM (SELECT (cityHash64(`account`, `report`, `report_date`, `report_hour`, `dimension_key`), xxh3(`account`, `report`, `report_date`, `report_hour`, `dimension_key`)) AS _key, `network`, `account`, `report`, `report_date`, `report_hour`, `dimension_key`, `dimensions`, `offer_id`, `publisher_id`, `country`, `sub1`, `currency`, `impressions`, `clicks`, `unique_clicks`, `conversions`, `payout`, `revenue`, `profit`, `approved_conversions`, `approved_payout`, `approved_revenue`, `pending_conversions`, `pending_payout`, `pending_revenue`, `hold_conversions`, `hold_payout`, `hold_revenue`, `rejected_conversions`, `rejected_payout`, `rejected_revenue`, `trash_conversions`, `trash_payout`, `trash_revenue`, `extra`, `_window`, `_version`, `_deleted`, `_synced_at`, `_run_id` FROM `affiliate_store`.`stats` FINAL WHERE ((`account` = 'o\'hara\\' AND `report` = 'by_offer' AND `report_date` >= toDate('2026-03-01') AND `report_date` < toDate('2026-03-02'))) AND `_deleted` = 0) AS r
ASOF INNER JOIN unit_scopes AS s ON toString(r.account) = s.account AND toString(r.`report`) = s.equal_0 AND r.`report_date` >= s.low
WHERE r.`report_date` < s.high AND r._version < s.version AND r._key NOT IN (SELECT (cityHash64(`account`, `report`, `report_date`, `report_hour`, `dimension_key`), xxh3(`account`, `report`, `report_date`, `report_hour`, `dimension_key`)) FROM `affiliate_store`.`staging_0_stats`)
SETTINGS do_not_merge_across_partitions_select_final = 1;
