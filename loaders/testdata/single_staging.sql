CREATE TABLE IF NOT EXISTS `affiliate_store`.`staging_2_conversions` AS `affiliate_store`.`conversions`
ENGINE = ReplacingMergeTree(_version, _deleted)
PARTITION BY toYYYYMM(report_date)
ORDER BY (`account`, `report_date`, `conversion_id`)
SETTINGS max_bytes_to_merge_at_min_space_in_pool = 1, max_bytes_to_merge_at_max_space_in_pool = 1, parts_to_delay_insert = 0, parts_to_throw_insert = 100000, min_bytes_for_wide_part = 9223372036854775807, min_rows_for_wide_part = 9223372036854775807;

SELECT toUInt8(staged = target OR empty(staged.1)) AS same FROM (SELECT
((SELECT groupArray((name, type, compression_codec)) FROM (SELECT name, type, compression_codec FROM system.columns WHERE database = 'affiliate_store' AND table = 'staging_2_conversions' ORDER BY position)),
    (SELECT arraySort(groupArray((name, expr))) FROM system.data_skipping_indices WHERE database = 'affiliate_store' AND table = 'staging_2_conversions')) AS staged,
((SELECT groupArray((name, type, compression_codec)) FROM (SELECT name, type, compression_codec FROM system.columns WHERE database = 'affiliate_store' AND table = 'conversions' ORDER BY position)),
    (SELECT arraySort(groupArray((name, expr))) FROM system.data_skipping_indices WHERE database = 'affiliate_store' AND table = 'conversions')) AS target);

ALTER TABLE `affiliate_store`.`conversions` ATTACH PARTITION ID '202603' FROM `affiliate_store`.`staging_2_conversions`;

TRUNCATE TABLE IF EXISTS `affiliate_store`.`staging_2_conversions`;

DROP TABLE IF EXISTS `affiliate_store`.`staging_2_conversions` SYNC;

KILL QUERY WHERE user = currentUser() AND startsWith(query, 'INSERT INTO `affiliate_store`.`staging_2_') SYNC;

SELECT table, partition_id, name, rows FROM system.parts WHERE database = 'affiliate_store' AND table IN ('staging_2_conversions', 'staging_2_offers') AND active ORDER BY table, partition_id, name;
