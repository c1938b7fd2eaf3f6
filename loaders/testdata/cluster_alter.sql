ALTER TABLE `affiliate_store`.`conversions` ON CLUSTER `main` ADD COLUMN IF NOT EXISTS `click_id` String COMMENT 'The click that it came of.' CODEC(ZSTD(1)) AFTER `conversion_id`;

ALTER TABLE `affiliate_store`.`conversions` ON CLUSTER `main` ADD COLUMN IF NOT EXISTS `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)) FIRST;

ALTER TABLE `affiliate_store`.`conversions` ON CLUSTER `main` ADD INDEX IF NOT EXISTS `by_click_id` `click_id` TYPE minmax GRANULARITY 1;

ALTER TABLE `affiliate_store`.`raw_pages` ON CLUSTER `main` REMOVE TTL;
