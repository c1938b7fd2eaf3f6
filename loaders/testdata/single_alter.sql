ALTER TABLE `affiliate_store`.`conversions` ADD COLUMN IF NOT EXISTS `click_id` String COMMENT 'The click that it came of.' CODEC(ZSTD(1)) AFTER `conversion_id`;

ALTER TABLE `affiliate_store`.`conversions` ADD COLUMN IF NOT EXISTS `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)) FIRST;

ALTER TABLE `affiliate_store`.`conversions` ADD INDEX IF NOT EXISTS `by_click_id` `click_id` TYPE minmax GRANULARITY 1;

ALTER TABLE `affiliate_store`.`raw_pages` MODIFY TTL toDateTime(received_at) + toIntervalSecond(7776000);
