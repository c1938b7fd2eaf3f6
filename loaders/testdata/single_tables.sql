CREATE TABLE IF NOT EXISTS `affiliate_store`.`offers`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.' CODEC(ZSTD(1)),
    `offer_id` String COMMENT 'The offer\'s id, as conversions and clicks carry it.' CODEC(ZSTD(1)),
    `network_offer_id` String COMMENT 'Another id that the network gives to the offer.' CODEC(ZSTD(1)),
    `external_id` String COMMENT 'The advertiser\'s own id of the offer.' CODEC(ZSTD(1)),
    `integration_id` LowCardinality(String) COMMENT 'The part of the account that the offer lives in, where a network has such parts.' CODEC(ZSTD(1)),
    `name` String COMMENT 'The offer\'s name.' CODEC(ZSTD(1)),
    `status` LowCardinality(String) COMMENT 'active, paused, stopped and so on.' CODEC(ZSTD(1)),
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.' CODEC(ZSTD(1)),
    `advertiser_id` String COMMENT 'The advertiser\'s id.' CODEC(ZSTD(1)),
    `advertiser_name` LowCardinality(String) COMMENT 'The advertiser\'s name.' CODEC(ZSTD(1)),
    `description` String COMMENT 'Description, as the network formats it.' CODEC(ZSTD(1)),
    `preview_url` String COMMENT 'Where people may look at what is offered.' CODEC(ZSTD(1)),
    `tracking_url` String COMMENT 'The link that traffic is sent to.' CODEC(ZSTD(1)),
    `destination_url` String COMMENT 'The advertiser\'s address behind the tracking link.' CODEC(ZSTD(1)),
    `logo_url` String COMMENT 'The offer\'s picture.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.' CODEC(ZSTD(1)),
    `payout` Decimal(38, 10) COMMENT 'What the affiliate gets for the default event.' CODEC(ZSTD(1)),
    `payout_type` LowCardinality(String) COMMENT 'How the payout is reckoned: fixed, percent and so on.' CODEC(ZSTD(1)),
    `revenue` Decimal(38, 10) COMMENT 'What the network gets for the default event.' CODEC(ZSTD(1)),
    `countries` String COMMENT 'Countries where the offer runs.' CODEC(ZSTD(1)),
    `categories` String COMMENT 'The offer\'s categories.' CODEC(ZSTD(1)),
    `tags` String COMMENT 'The offer\'s tags.' CODEC(ZSTD(1)),
    `privacy` LowCardinality(String) COMMENT 'Who may see the offer, in the network\'s word.' CODEC(ZSTD(1)),
    `is_private` UInt8 COMMENT '1 when only chosen affiliates may run it.' CODEC(ZSTD(1)),
    `is_top` UInt8 COMMENT '1 when the network recommends it.' CODEC(ZSTD(1)),
    `requires_approval` UInt8 COMMENT '1 when affiliates must ask before they run it.' CODEC(ZSTD(1)),
    `hold_days` UInt64 COMMENT 'Length of the hold period in days.' CODEC(ZSTD(1)),
    `conversion_rate` Decimal(38, 10) COMMENT 'Conversion rate that the network shows, percent.' CODEC(ZSTD(1)),
    `epc` Decimal(38, 10) COMMENT 'Earnings per click that the network shows.' CODEC(ZSTD(1)),
    `caps` String COMMENT 'The offer\'s limits, as the network\'s JSON.' CODEC(ZSTD(1)),
    `targeting` String COMMENT 'Whom the offer is for, as the network\'s JSON.' CODEC(ZSTD(1)),
    `starts_at` DateTime64(3, 'UTC') COMMENT 'When the offer starts, UTC.' CODEC(Delta(8), ZSTD(1)),
    `ends_at` DateTime64(3, 'UTC') COMMENT 'When the offer stops, UTC.' CODEC(Delta(8), ZSTD(1)),
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the offer was made, UTC.' CODEC(Delta(8), ZSTD(1)),
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.' CODEC(Delta(8), ZSTD(1)),
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.' CODEC(ZSTD(1)),
    `_window` DateTime('UTC') COMMENT 'Start of the window that the row was pulled in; the epoch for rows without a window.' CODEC(Delta(4), ZSTD(1)),
    `_version` UInt64 COMMENT 'Number of the answer that the row came in; of rows with equal keys the greatest counts.' CODEC(Delta(8), ZSTD(1)),
    `_deleted` UInt8 COMMENT '1 when the network no longer has the row.' CODEC(ZSTD(1)),
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.' CODEC(Delta(8), ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that loaded the row.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(_version, _deleted)
ORDER BY (`account`, `offer_id`)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row is an offer.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`offer_events`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.' CODEC(ZSTD(1)),
    `offer_id` String COMMENT 'The offer\'s id.' CODEC(ZSTD(1)),
    `event_id` String COMMENT 'Id of the goal or event, or of one rate of it where several are paid.' CODEC(ZSTD(1)),
    `name` String COMMENT 'Name of the goal or event.' CODEC(ZSTD(1)),
    `goal` LowCardinality(String) COMMENT 'The goal\'s number or code as conversions carry it in event_id.' CODEC(ZSTD(1)),
    `status` LowCardinality(String) COMMENT 'Status in the network\'s word.' CODEC(ZSTD(1)),
    `payout` Decimal(38, 10) COMMENT 'What the affiliate gets for it.' CODEC(ZSTD(1)),
    `payout_type` LowCardinality(String) COMMENT 'How the payout is reckoned: fixed, percent and so on.' CODEC(ZSTD(1)),
    `revenue` Decimal(38, 10) COMMENT 'What the network gets for it.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.' CODEC(ZSTD(1)),
    `countries` String COMMENT 'Countries that the rate holds for; empty for all.' CODEC(ZSTD(1)),
    `devices` String COMMENT 'Devices that the rate holds for; empty for all.' CODEC(ZSTD(1)),
    `os` String COMMENT 'Operating systems that the rate holds for; empty for all.' CODEC(ZSTD(1)),
    `publishers` String COMMENT 'Affiliates that the rate holds for; empty for all.' CODEC(ZSTD(1)),
    `created_at` DateTime64(3, 'UTC') COMMENT 'When it was made, UTC.' CODEC(Delta(8), ZSTD(1)),
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.' CODEC(Delta(8), ZSTD(1)),
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.' CODEC(ZSTD(1)),
    `_window` DateTime('UTC') COMMENT 'Start of the window that the row was pulled in; the epoch for rows without a window.' CODEC(Delta(4), ZSTD(1)),
    `_version` UInt64 COMMENT 'Number of the answer that the row came in; of rows with equal keys the greatest counts.' CODEC(Delta(8), ZSTD(1)),
    `_deleted` UInt8 COMMENT '1 when the network no longer has the row.' CODEC(ZSTD(1)),
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.' CODEC(Delta(8), ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that loaded the row.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(_version, _deleted)
ORDER BY (`account`, `offer_id`, `event_id`)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row is a goal or event of an offer with what it pays.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`landing_pages`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.' CODEC(ZSTD(1)),
    `landing_page_id` String COMMENT 'The landing page\'s id.' CODEC(ZSTD(1)),
    `offer_id` String COMMENT 'The offer\'s id.' CODEC(ZSTD(1)),
    `name` String COMMENT 'The landing page\'s name.' CODEC(ZSTD(1)),
    `status` LowCardinality(String) COMMENT 'Status in the network\'s word.' CODEC(ZSTD(1)),
    `kind` LowCardinality(String) COMMENT 'landing, prelanding and so on.' CODEC(ZSTD(1)),
    `url` String COMMENT 'Its address.' CODEC(ZSTD(1)),
    `preview_url` String COMMENT 'Where people may look at it.' CODEC(ZSTD(1)),
    `created_at` DateTime64(3, 'UTC') COMMENT 'When it was made, UTC.' CODEC(Delta(8), ZSTD(1)),
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.' CODEC(Delta(8), ZSTD(1)),
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.' CODEC(ZSTD(1)),
    `_window` DateTime('UTC') COMMENT 'Start of the window that the row was pulled in; the epoch for rows without a window.' CODEC(Delta(4), ZSTD(1)),
    `_version` UInt64 COMMENT 'Number of the answer that the row came in; of rows with equal keys the greatest counts.' CODEC(Delta(8), ZSTD(1)),
    `_deleted` UInt8 COMMENT '1 when the network no longer has the row.' CODEC(ZSTD(1)),
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.' CODEC(Delta(8), ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that loaded the row.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(_version, _deleted)
ORDER BY (`account`, `landing_page_id`)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row is a landing page of an offer.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`publishers`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.' CODEC(ZSTD(1)),
    `publisher_id` String COMMENT 'The affiliate\'s id.' CODEC(ZSTD(1)),
    `name` String COMMENT 'The affiliate\'s name.' CODEC(ZSTD(1)),
    `login` String COMMENT 'The name the affiliate logs in with.' CODEC(ZSTD(1)),
    `email` String COMMENT 'The affiliate\'s e-mail address; hashed or empty where the configuration says so.' CODEC(ZSTD(1)),
    `status` LowCardinality(String) COMMENT 'active, inactive, banned and so on.' CODEC(ZSTD(1)),
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.' CODEC(ZSTD(1)),
    `roles` String COMMENT 'The affiliate\'s roles.' CODEC(ZSTD(1)),
    `company` String COMMENT 'The affiliate\'s company.' CODEC(ZSTD(1)),
    `url` String COMMENT 'The affiliate\'s site.' CODEC(ZSTD(1)),
    `country` LowCardinality(String) COMMENT 'The affiliate\'s country.' CODEC(ZSTD(1)),
    `manager_id` String COMMENT 'Id of the user who looks after the affiliate.' CODEC(ZSTD(1)),
    `referrer_id` String COMMENT 'Id of the affiliate who brought the affiliate.' CODEC(ZSTD(1)),
    `tags` String COMMENT 'The affiliate\'s tags.' CODEC(ZSTD(1)),
    `notes` String COMMENT 'The network\'s notes on the affiliate.' CODEC(ZSTD(1)),
    `offers` UInt64 COMMENT 'How many offers the affiliate has.' CODEC(ZSTD(1)),
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the affiliate was registered, UTC.' CODEC(Delta(8), ZSTD(1)),
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.' CODEC(Delta(8), ZSTD(1)),
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.' CODEC(ZSTD(1)),
    `_window` DateTime('UTC') COMMENT 'Start of the window that the row was pulled in; the epoch for rows without a window.' CODEC(Delta(4), ZSTD(1)),
    `_version` UInt64 COMMENT 'Number of the answer that the row came in; of rows with equal keys the greatest counts.' CODEC(Delta(8), ZSTD(1)),
    `_deleted` UInt8 COMMENT '1 when the network no longer has the row.' CODEC(ZSTD(1)),
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.' CODEC(Delta(8), ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that loaded the row.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(_version, _deleted)
ORDER BY (`account`, `publisher_id`)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row is an affiliate.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`advertisers`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.' CODEC(ZSTD(1)),
    `advertiser_id` String COMMENT 'The advertiser\'s id.' CODEC(ZSTD(1)),
    `name` String COMMENT 'The advertiser\'s name.' CODEC(ZSTD(1)),
    `login` String COMMENT 'The name the advertiser logs in with.' CODEC(ZSTD(1)),
    `email` String COMMENT 'The advertiser\'s e-mail address; hashed or empty where the configuration says so.' CODEC(ZSTD(1)),
    `status` LowCardinality(String) COMMENT 'active, inactive, banned and so on.' CODEC(ZSTD(1)),
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.' CODEC(ZSTD(1)),
    `roles` String COMMENT 'The advertiser\'s roles.' CODEC(ZSTD(1)),
    `company` String COMMENT 'The advertiser\'s company.' CODEC(ZSTD(1)),
    `url` String COMMENT 'The advertiser\'s site.' CODEC(ZSTD(1)),
    `country` LowCardinality(String) COMMENT 'The advertiser\'s country.' CODEC(ZSTD(1)),
    `manager_id` String COMMENT 'Id of the user who looks after the advertiser.' CODEC(ZSTD(1)),
    `referrer_id` String COMMENT 'Id of the affiliate who brought the advertiser.' CODEC(ZSTD(1)),
    `tags` String COMMENT 'The advertiser\'s tags.' CODEC(ZSTD(1)),
    `notes` String COMMENT 'The network\'s notes on the advertiser.' CODEC(ZSTD(1)),
    `offers` UInt64 COMMENT 'How many offers the advertiser has.' CODEC(ZSTD(1)),
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the advertiser was registered, UTC.' CODEC(Delta(8), ZSTD(1)),
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.' CODEC(Delta(8), ZSTD(1)),
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.' CODEC(ZSTD(1)),
    `_window` DateTime('UTC') COMMENT 'Start of the window that the row was pulled in; the epoch for rows without a window.' CODEC(Delta(4), ZSTD(1)),
    `_version` UInt64 COMMENT 'Number of the answer that the row came in; of rows with equal keys the greatest counts.' CODEC(Delta(8), ZSTD(1)),
    `_deleted` UInt8 COMMENT '1 when the network no longer has the row.' CODEC(ZSTD(1)),
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.' CODEC(Delta(8), ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that loaded the row.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(_version, _deleted)
ORDER BY (`account`, `advertiser_id`)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row is an advertiser.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`users`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.' CODEC(ZSTD(1)),
    `user_id` String COMMENT 'The user\'s id.' CODEC(ZSTD(1)),
    `name` String COMMENT 'The user\'s name.' CODEC(ZSTD(1)),
    `login` String COMMENT 'The name the user logs in with.' CODEC(ZSTD(1)),
    `email` String COMMENT 'The user\'s e-mail address; hashed or empty where the configuration says so.' CODEC(ZSTD(1)),
    `status` LowCardinality(String) COMMENT 'active, inactive, banned and so on.' CODEC(ZSTD(1)),
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.' CODEC(ZSTD(1)),
    `roles` String COMMENT 'The user\'s roles.' CODEC(ZSTD(1)),
    `company` String COMMENT 'The user\'s company.' CODEC(ZSTD(1)),
    `url` String COMMENT 'The user\'s site.' CODEC(ZSTD(1)),
    `country` LowCardinality(String) COMMENT 'The user\'s country.' CODEC(ZSTD(1)),
    `manager_id` String COMMENT 'Id of the user who looks after the user.' CODEC(ZSTD(1)),
    `referrer_id` String COMMENT 'Id of the affiliate who brought the user.' CODEC(ZSTD(1)),
    `tags` String COMMENT 'The user\'s tags.' CODEC(ZSTD(1)),
    `notes` String COMMENT 'The network\'s notes on the user.' CODEC(ZSTD(1)),
    `offers` UInt64 COMMENT 'How many offers the user has.' CODEC(ZSTD(1)),
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the user was registered, UTC.' CODEC(Delta(8), ZSTD(1)),
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.' CODEC(Delta(8), ZSTD(1)),
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.' CODEC(ZSTD(1)),
    `_window` DateTime('UTC') COMMENT 'Start of the window that the row was pulled in; the epoch for rows without a window.' CODEC(Delta(4), ZSTD(1)),
    `_version` UInt64 COMMENT 'Number of the answer that the row came in; of rows with equal keys the greatest counts.' CODEC(Delta(8), ZSTD(1)),
    `_deleted` UInt8 COMMENT '1 when the network no longer has the row.' CODEC(ZSTD(1)),
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.' CODEC(Delta(8), ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that loaded the row.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(_version, _deleted)
ORDER BY (`account`, `user_id`)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row is a user or manager at the network.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`clicks`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.' CODEC(ZSTD(1)),
    `click_id` String COMMENT 'The network\'s id of the click.' CODEC(ZSTD(1)),
    `external_id` String COMMENT 'The id that the advertiser or the traffic source gave to the click.' CODEC(ZSTD(1)),
    `conversion_id` String COMMENT 'The conversion that came of the click, where the network says so.' CODEC(ZSTD(1)),
    `landing_page_id` String COMMENT 'The landing page that the click went to.' CODEC(ZSTD(1)),
    `landing_url` String COMMENT 'Address that the click went to.' CODEC(ZSTD(1)),
    `offer_id` String COMMENT 'The offer\'s id.' CODEC(ZSTD(1)),
    `offer_name` LowCardinality(String) COMMENT 'The offer\'s name when the event was read.' CODEC(ZSTD(1)),
    `publisher_id` String COMMENT 'The affiliate\'s id.' CODEC(ZSTD(1)),
    `publisher_name` LowCardinality(String) COMMENT 'The affiliate\'s name when the event was read.' CODEC(ZSTD(1)),
    `advertiser_id` String COMMENT 'The advertiser\'s id.' CODEC(ZSTD(1)),
    `advertiser_name` LowCardinality(String) COMMENT 'The advertiser\'s name when the event was read.' CODEC(ZSTD(1)),
    `status` LowCardinality(String) COMMENT 'The network\'s verdict on the click.' CODEC(ZSTD(1)),
    `status_reason` String COMMENT 'Why the click was refused.' CODEC(ZSTD(1)),
    `is_unique` UInt8 COMMENT '1 for the first click of a visitor.' CODEC(ZSTD(1)),
    `has_conversion` UInt8 COMMENT '1 when a conversion came of the click.' CODEC(ZSTD(1)),
    `payout` Decimal(38, 10) COMMENT 'What the affiliate gets for it.' CODEC(ZSTD(1)),
    `revenue` Decimal(38, 10) COMMENT 'What the network gets for it.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.' CODEC(ZSTD(1)),
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the click happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `report_date` Date COMMENT 'The report day of the click, in the account\'s zone.' CODEC(ZSTD(1)),
    `country` LowCardinality(String) COMMENT 'Country of the visitor, ISO 3166 alpha-2.' CODEC(ZSTD(1)),
    `region` LowCardinality(String) COMMENT 'Region of the visitor.' CODEC(ZSTD(1)),
    `city` LowCardinality(String) COMMENT 'City of the visitor.' CODEC(ZSTD(1)),
    `ip` String COMMENT 'Address of the visitor; hashed or empty where the configuration says so.' CODEC(ZSTD(1)),
    `isp` LowCardinality(String) COMMENT 'Internet provider or carrier of the visitor.' CODEC(ZSTD(1)),
    `connection_type` LowCardinality(String) COMMENT 'Kind of connection: wi-fi, cellular.' CODEC(ZSTD(1)),
    `device_type` LowCardinality(String) COMMENT 'desktop, mobile, tablet and so on.' CODEC(ZSTD(1)),
    `device_brand` LowCardinality(String) COMMENT 'Maker of the device.' CODEC(ZSTD(1)),
    `device_model` LowCardinality(String) COMMENT 'Model of the device.' CODEC(ZSTD(1)),
    `os` LowCardinality(String) COMMENT 'Operating system.' CODEC(ZSTD(1)),
    `os_version` LowCardinality(String) COMMENT 'Version of the operating system.' CODEC(ZSTD(1)),
    `browser` LowCardinality(String) COMMENT 'Browser.' CODEC(ZSTD(1)),
    `browser_version` LowCardinality(String) COMMENT 'Version of the browser.' CODEC(ZSTD(1)),
    `user_agent` String COMMENT 'The browser\'s User-Agent.' CODEC(ZSTD(1)),
    `referer` String COMMENT 'Address of the page that the visitor came from.' CODEC(ZSTD(1)),
    `sub1` String COMMENT 'The affiliate\'s parameter 1.' CODEC(ZSTD(1)),
    `sub2` String COMMENT 'The affiliate\'s parameter 2.' CODEC(ZSTD(1)),
    `sub3` String COMMENT 'The affiliate\'s parameter 3.' CODEC(ZSTD(1)),
    `sub4` String COMMENT 'The affiliate\'s parameter 4.' CODEC(ZSTD(1)),
    `sub5` String COMMENT 'The affiliate\'s parameter 5.' CODEC(ZSTD(1)),
    `sub6` String COMMENT 'The affiliate\'s parameter 6.' CODEC(ZSTD(1)),
    `sub7` String COMMENT 'The affiliate\'s parameter 7.' CODEC(ZSTD(1)),
    `sub8` String COMMENT 'The affiliate\'s parameter 8.' CODEC(ZSTD(1)),
    `is_test` UInt8 COMMENT '1 for test traffic.' CODEC(ZSTD(1)),
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.' CODEC(ZSTD(1)),
    `_window` DateTime('UTC') COMMENT 'Start of the window that the row was pulled in; the epoch for rows without a window.' CODEC(Delta(4), ZSTD(1)),
    `_version` UInt64 COMMENT 'Number of the answer that the row came in; of rows with equal keys the greatest counts.' CODEC(Delta(8), ZSTD(1)),
    `_deleted` UInt8 COMMENT '1 when the network no longer has the row.' CODEC(ZSTD(1)),
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.' CODEC(Delta(8), ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that loaded the row.' CODEC(ZSTD(1)),
    INDEX `by_created_at` `created_at` TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_version, _deleted)
PARTITION BY toYYYYMM(report_date)
ORDER BY (`account`, `report_date`, `click_id`)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row is a click.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`impressions`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.' CODEC(ZSTD(1)),
    `impression_id` String COMMENT 'The network\'s id of the impression.' CODEC(ZSTD(1)),
    `external_id` String COMMENT 'The id that the traffic source gave to the impression.' CODEC(ZSTD(1)),
    `click_id` String COMMENT 'The click that came of the impression, where the network says so.' CODEC(ZSTD(1)),
    `creative_id` String COMMENT 'The creative that was shown.' CODEC(ZSTD(1)),
    `offer_id` String COMMENT 'The offer\'s id.' CODEC(ZSTD(1)),
    `offer_name` LowCardinality(String) COMMENT 'The offer\'s name when the event was read.' CODEC(ZSTD(1)),
    `publisher_id` String COMMENT 'The affiliate\'s id.' CODEC(ZSTD(1)),
    `publisher_name` LowCardinality(String) COMMENT 'The affiliate\'s name when the event was read.' CODEC(ZSTD(1)),
    `advertiser_id` String COMMENT 'The advertiser\'s id.' CODEC(ZSTD(1)),
    `advertiser_name` LowCardinality(String) COMMENT 'The advertiser\'s name when the event was read.' CODEC(ZSTD(1)),
    `payout` Decimal(38, 10) COMMENT 'What the affiliate gets for it.' CODEC(ZSTD(1)),
    `revenue` Decimal(38, 10) COMMENT 'What the network gets for it.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.' CODEC(ZSTD(1)),
    `is_unique` UInt8 COMMENT '1 for the first impression of a visitor.' CODEC(ZSTD(1)),
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the impression happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `report_date` Date COMMENT 'The report day of the impression, in the account\'s zone.' CODEC(ZSTD(1)),
    `country` LowCardinality(String) COMMENT 'Country of the visitor, ISO 3166 alpha-2.' CODEC(ZSTD(1)),
    `region` LowCardinality(String) COMMENT 'Region of the visitor.' CODEC(ZSTD(1)),
    `city` LowCardinality(String) COMMENT 'City of the visitor.' CODEC(ZSTD(1)),
    `ip` String COMMENT 'Address of the visitor; hashed or empty where the configuration says so.' CODEC(ZSTD(1)),
    `isp` LowCardinality(String) COMMENT 'Internet provider or carrier of the visitor.' CODEC(ZSTD(1)),
    `connection_type` LowCardinality(String) COMMENT 'Kind of connection: wi-fi, cellular.' CODEC(ZSTD(1)),
    `device_type` LowCardinality(String) COMMENT 'desktop, mobile, tablet and so on.' CODEC(ZSTD(1)),
    `device_brand` LowCardinality(String) COMMENT 'Maker of the device.' CODEC(ZSTD(1)),
    `device_model` LowCardinality(String) COMMENT 'Model of the device.' CODEC(ZSTD(1)),
    `os` LowCardinality(String) COMMENT 'Operating system.' CODEC(ZSTD(1)),
    `os_version` LowCardinality(String) COMMENT 'Version of the operating system.' CODEC(ZSTD(1)),
    `browser` LowCardinality(String) COMMENT 'Browser.' CODEC(ZSTD(1)),
    `browser_version` LowCardinality(String) COMMENT 'Version of the browser.' CODEC(ZSTD(1)),
    `user_agent` String COMMENT 'The browser\'s User-Agent.' CODEC(ZSTD(1)),
    `referer` String COMMENT 'Address of the page that the visitor came from.' CODEC(ZSTD(1)),
    `sub1` String COMMENT 'The affiliate\'s parameter 1.' CODEC(ZSTD(1)),
    `sub2` String COMMENT 'The affiliate\'s parameter 2.' CODEC(ZSTD(1)),
    `sub3` String COMMENT 'The affiliate\'s parameter 3.' CODEC(ZSTD(1)),
    `sub4` String COMMENT 'The affiliate\'s parameter 4.' CODEC(ZSTD(1)),
    `sub5` String COMMENT 'The affiliate\'s parameter 5.' CODEC(ZSTD(1)),
    `sub6` String COMMENT 'The affiliate\'s parameter 6.' CODEC(ZSTD(1)),
    `sub7` String COMMENT 'The affiliate\'s parameter 7.' CODEC(ZSTD(1)),
    `sub8` String COMMENT 'The affiliate\'s parameter 8.' CODEC(ZSTD(1)),
    `is_test` UInt8 COMMENT '1 for test traffic.' CODEC(ZSTD(1)),
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.' CODEC(ZSTD(1)),
    `_window` DateTime('UTC') COMMENT 'Start of the window that the row was pulled in; the epoch for rows without a window.' CODEC(Delta(4), ZSTD(1)),
    `_version` UInt64 COMMENT 'Number of the answer that the row came in; of rows with equal keys the greatest counts.' CODEC(Delta(8), ZSTD(1)),
    `_deleted` UInt8 COMMENT '1 when the network no longer has the row.' CODEC(ZSTD(1)),
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.' CODEC(Delta(8), ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that loaded the row.' CODEC(ZSTD(1)),
    INDEX `by_created_at` `created_at` TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_version, _deleted)
PARTITION BY toYYYYMM(report_date)
ORDER BY (`account`, `report_date`, `impression_id`)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row is an impression.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`conversions`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.' CODEC(ZSTD(1)),
    `conversion_id` String COMMENT 'The network\'s id of the conversion.' CODEC(ZSTD(1)),
    `click_id` String COMMENT 'The click that it came of.' CODEC(ZSTD(1)),
    `external_id` String COMMENT 'The advertiser\'s own id of the order or lead.' CODEC(ZSTD(1)),
    `event_id` String COMMENT 'Id of the goal or event that was reached.' CODEC(ZSTD(1)),
    `event_name` LowCardinality(String) COMMENT 'Name of the goal or event that was reached.' CODEC(ZSTD(1)),
    `offer_id` String COMMENT 'The offer\'s id.' CODEC(ZSTD(1)),
    `offer_name` LowCardinality(String) COMMENT 'The offer\'s name when the event was read.' CODEC(ZSTD(1)),
    `publisher_id` String COMMENT 'The affiliate\'s id.' CODEC(ZSTD(1)),
    `publisher_name` LowCardinality(String) COMMENT 'The affiliate\'s name when the event was read.' CODEC(ZSTD(1)),
    `advertiser_id` String COMMENT 'The advertiser\'s id.' CODEC(ZSTD(1)),
    `advertiser_name` LowCardinality(String) COMMENT 'The advertiser\'s name when the event was read.' CODEC(ZSTD(1)),
    `status` LowCardinality(String) COMMENT 'approved, pending, hold, rejected, trash or unknown.' CODEC(ZSTD(1)),
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.' CODEC(ZSTD(1)),
    `status_reason` String COMMENT 'Why the conversion was refused, or another comment on its status.' CODEC(ZSTD(1)),
    `payout` Decimal(38, 10) COMMENT 'What the affiliate gets.' CODEC(ZSTD(1)),
    `revenue` Decimal(38, 10) COMMENT 'What the network gets from the advertiser.' CODEC(ZSTD(1)),
    `profit` Decimal(38, 10) COMMENT 'What the network keeps.' CODEC(ZSTD(1)),
    `sale_amount` Decimal(38, 10) COMMENT 'The value of the order.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.' CODEC(ZSTD(1)),
    `payout_type` LowCardinality(String) COMMENT 'How the payout is reckoned: fixed, percent.' CODEC(ZSTD(1)),
    `payment_status` LowCardinality(String) COMMENT 'Whether the payout has been paid, in the network\'s word.' CODEC(ZSTD(1)),
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the conversion happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `click_at` DateTime64(3, 'UTC') COMMENT 'When the click happened, UTC.' CODEC(Delta(8), ZSTD(1)),
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.' CODEC(Delta(8), ZSTD(1)),
    `hold_until` DateTime64(3, 'UTC') COMMENT 'When the hold period ends, UTC.' CODEC(Delta(8), ZSTD(1)),
    `report_date` Date COMMENT 'The report day of the conversion, in the account\'s zone.' CODEC(ZSTD(1)),
    `country` LowCardinality(String) COMMENT 'Country of the visitor, ISO 3166 alpha-2.' CODEC(ZSTD(1)),
    `region` LowCardinality(String) COMMENT 'Region of the visitor.' CODEC(ZSTD(1)),
    `city` LowCardinality(String) COMMENT 'City of the visitor.' CODEC(ZSTD(1)),
    `ip` String COMMENT 'Address of the visitor; hashed or empty where the configuration says so.' CODEC(ZSTD(1)),
    `isp` LowCardinality(String) COMMENT 'Internet provider or carrier of the visitor.' CODEC(ZSTD(1)),
    `connection_type` LowCardinality(String) COMMENT 'Kind of connection: wi-fi, cellular.' CODEC(ZSTD(1)),
    `device_type` LowCardinality(String) COMMENT 'desktop, mobile, tablet and so on.' CODEC(ZSTD(1)),
    `device_brand` LowCardinality(String) COMMENT 'Maker of the device.' CODEC(ZSTD(1)),
    `device_model` LowCardinality(String) COMMENT 'Model of the device.' CODEC(ZSTD(1)),
    `os` LowCardinality(String) COMMENT 'Operating system.' CODEC(ZSTD(1)),
    `os_version` LowCardinality(String) COMMENT 'Version of the operating system.' CODEC(ZSTD(1)),
    `browser` LowCardinality(String) COMMENT 'Browser.' CODEC(ZSTD(1)),
    `browser_version` LowCardinality(String) COMMENT 'Version of the browser.' CODEC(ZSTD(1)),
    `user_agent` String COMMENT 'The browser\'s User-Agent.' CODEC(ZSTD(1)),
    `referer` String COMMENT 'Address of the page that the visitor came from.' CODEC(ZSTD(1)),
    `sub1` String COMMENT 'The affiliate\'s parameter 1.' CODEC(ZSTD(1)),
    `sub2` String COMMENT 'The affiliate\'s parameter 2.' CODEC(ZSTD(1)),
    `sub3` String COMMENT 'The affiliate\'s parameter 3.' CODEC(ZSTD(1)),
    `sub4` String COMMENT 'The affiliate\'s parameter 4.' CODEC(ZSTD(1)),
    `sub5` String COMMENT 'The affiliate\'s parameter 5.' CODEC(ZSTD(1)),
    `sub6` String COMMENT 'The affiliate\'s parameter 6.' CODEC(ZSTD(1)),
    `sub7` String COMMENT 'The affiliate\'s parameter 7.' CODEC(ZSTD(1)),
    `sub8` String COMMENT 'The affiliate\'s parameter 8.' CODEC(ZSTD(1)),
    `is_test` UInt8 COMMENT '1 for test traffic.' CODEC(ZSTD(1)),
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.' CODEC(ZSTD(1)),
    `_window` DateTime('UTC') COMMENT 'Start of the window that the row was pulled in; the epoch for rows without a window.' CODEC(Delta(4), ZSTD(1)),
    `_version` UInt64 COMMENT 'Number of the answer that the row came in; of rows with equal keys the greatest counts.' CODEC(Delta(8), ZSTD(1)),
    `_deleted` UInt8 COMMENT '1 when the network no longer has the row.' CODEC(ZSTD(1)),
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.' CODEC(Delta(8), ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that loaded the row.' CODEC(ZSTD(1)),
    INDEX `by_created_at` `created_at` TYPE minmax GRANULARITY 1,
    INDEX `by_click_at` `click_at` TYPE minmax GRANULARITY 1,
    INDEX `by_updated_at` `updated_at` TYPE minmax GRANULARITY 1,
    INDEX `by_hold_until` `hold_until` TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_version, _deleted)
PARTITION BY toYYYYMM(report_date)
ORDER BY (`account`, `report_date`, `conversion_id`)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row is a conversion, lead, order or sale.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`stats`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.' CODEC(ZSTD(1)),
    `report` LowCardinality(String) COMMENT 'The report\'s name. Rows of different reports count the same traffic: never sum over reports.' CODEC(ZSTD(1)),
    `report_date` Date COMMENT 'The report day, in the account\'s zone.' CODEC(ZSTD(1)),
    `report_hour` UInt8 COMMENT 'The hour of the report day; 0 in reports by day.' CODEC(ZSTD(1)),
    `dimension_key` String COMMENT 'The dimensions as one text, name=value, sorted and parted by \\x1f: the part of the key that a Map cannot be.' CODEC(ZSTD(1)),
    `dimensions` Map(LowCardinality(String), String) COMMENT 'What the row is about, by dimension name.' CODEC(ZSTD(1)),
    `offer_id` String COMMENT 'The dimension offer_id, where the report has it.' CODEC(ZSTD(1)),
    `publisher_id` String COMMENT 'The dimension publisher_id, where the report has it.' CODEC(ZSTD(1)),
    `country` LowCardinality(String) COMMENT 'The dimension country, where the report has it.' CODEC(ZSTD(1)),
    `sub1` String COMMENT 'The dimension sub1, where the report has it.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.' CODEC(ZSTD(1)),
    `impressions` UInt64 COMMENT 'Impressions.' CODEC(ZSTD(1)),
    `clicks` UInt64 COMMENT 'Clicks.' CODEC(ZSTD(1)),
    `unique_clicks` UInt64 COMMENT 'Clicks of different visitors.' CODEC(ZSTD(1)),
    `conversions` UInt64 COMMENT 'Conversions in any status.' CODEC(ZSTD(1)),
    `payout` Decimal(38, 10) COMMENT 'What the affiliates get for conversions in any status.' CODEC(ZSTD(1)),
    `revenue` Decimal(38, 10) COMMENT 'What the network gets for conversions in any status.' CODEC(ZSTD(1)),
    `profit` Decimal(38, 10) COMMENT 'What the network keeps of conversions in any status.' CODEC(ZSTD(1)),
    `approved_conversions` UInt64 COMMENT 'Conversions with the status approved.' CODEC(ZSTD(1)),
    `approved_payout` Decimal(38, 10) COMMENT 'What the affiliates get for conversions with the status approved.' CODEC(ZSTD(1)),
    `approved_revenue` Decimal(38, 10) COMMENT 'What the network gets for conversions with the status approved.' CODEC(ZSTD(1)),
    `pending_conversions` UInt64 COMMENT 'Conversions with the status pending.' CODEC(ZSTD(1)),
    `pending_payout` Decimal(38, 10) COMMENT 'What the affiliates get for conversions with the status pending.' CODEC(ZSTD(1)),
    `pending_revenue` Decimal(38, 10) COMMENT 'What the network gets for conversions with the status pending.' CODEC(ZSTD(1)),
    `hold_conversions` UInt64 COMMENT 'Conversions with the status hold.' CODEC(ZSTD(1)),
    `hold_payout` Decimal(38, 10) COMMENT 'What the affiliates get for conversions with the status hold.' CODEC(ZSTD(1)),
    `hold_revenue` Decimal(38, 10) COMMENT 'What the network gets for conversions with the status hold.' CODEC(ZSTD(1)),
    `rejected_conversions` UInt64 COMMENT 'Conversions with the status rejected.' CODEC(ZSTD(1)),
    `rejected_payout` Decimal(38, 10) COMMENT 'What the affiliates get for conversions with the status rejected.' CODEC(ZSTD(1)),
    `rejected_revenue` Decimal(38, 10) COMMENT 'What the network gets for conversions with the status rejected.' CODEC(ZSTD(1)),
    `trash_conversions` UInt64 COMMENT 'Conversions with the status trash.' CODEC(ZSTD(1)),
    `trash_payout` Decimal(38, 10) COMMENT 'What the affiliates get for conversions with the status trash.' CODEC(ZSTD(1)),
    `trash_revenue` Decimal(38, 10) COMMENT 'What the network gets for conversions with the status trash.' CODEC(ZSTD(1)),
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.' CODEC(ZSTD(1)),
    `_window` DateTime('UTC') COMMENT 'Start of the window that the row was pulled in; the epoch for rows without a window.' CODEC(Delta(4), ZSTD(1)),
    `_version` UInt64 COMMENT 'Number of the answer that the row came in; of rows with equal keys the greatest counts.' CODEC(Delta(8), ZSTD(1)),
    `_deleted` UInt8 COMMENT '1 when the network no longer has the row.' CODEC(ZSTD(1)),
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.' CODEC(Delta(8), ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that loaded the row.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(_version, _deleted)
PARTITION BY toYYYYMM(report_date)
ORDER BY (`account`, `report`, `report_date`, `report_hour`, `dimension_key`)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row is a slice of a statistics report.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`postback_logs`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.' CODEC(ZSTD(1)),
    `id` String COMMENT 'The network\'s id of the postback.' CODEC(ZSTD(1)),
    `direction` LowCardinality(String) COMMENT 'received (from an advertiser) or sent (to an affiliate).' CODEC(ZSTD(1)),
    `click_id` String COMMENT 'The click it is about.' CODEC(ZSTD(1)),
    `conversion_id` String COMMENT 'The conversion it is about.' CODEC(ZSTD(1)),
    `event_id` String COMMENT 'Id of the goal or event it is about.' CODEC(ZSTD(1)),
    `offer_id` String COMMENT 'The offer\'s id.' CODEC(ZSTD(1)),
    `publisher_id` String COMMENT 'The affiliate\'s id.' CODEC(ZSTD(1)),
    `advertiser_id` String COMMENT 'The advertiser\'s id.' CODEC(ZSTD(1)),
    `url` String COMMENT 'The address that was called.' CODEC(ZSTD(1)),
    `request` String COMMENT 'What was sent, as the network\'s JSON.' CODEC(ZSTD(1)),
    `status` LowCardinality(String) COMMENT 'Status of the conversion that was told.' CODEC(ZSTD(1)),
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.' CODEC(ZSTD(1)),
    `http_code` UInt64 COMMENT 'HTTP status of the answer; 0 when unknown.' CODEC(ZSTD(1)),
    `response` String COMMENT 'What was answered.' CODEC(ZSTD(1)),
    `payout` Decimal(38, 10) COMMENT 'The affiliate\'s payout that was told.' CODEC(ZSTD(1)),
    `revenue` Decimal(38, 10) COMMENT 'The network\'s revenue that was told.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts.' CODEC(ZSTD(1)),
    `ip` String COMMENT 'Address of the caller; hashed or empty where the configuration says so.' CODEC(ZSTD(1)),
    `sent_at` DateTime64(3, 'UTC') COMMENT 'When it was sent or received, UTC.' CODEC(Delta(8), ZSTD(1)),
    `report_date` Date COMMENT 'The report day, in the account\'s zone.' CODEC(ZSTD(1)),
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.' CODEC(ZSTD(1)),
    `_window` DateTime('UTC') COMMENT 'Start of the window that the row was pulled in; the epoch for rows without a window.' CODEC(Delta(4), ZSTD(1)),
    `_version` UInt64 COMMENT 'Number of the answer that the row came in; of rows with equal keys the greatest counts.' CODEC(Delta(8), ZSTD(1)),
    `_deleted` UInt8 COMMENT '1 when the network no longer has the row.' CODEC(ZSTD(1)),
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.' CODEC(Delta(8), ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that loaded the row.' CODEC(ZSTD(1)),
    INDEX `by_sent_at` `sent_at` TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_version, _deleted)
PARTITION BY toYYYYMM(report_date)
ORDER BY (`account`, `report_date`, `id`)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row is a postback that the network says it sent or received.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`postbacks`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.' CODEC(ZSTD(1)),
    `id` String COMMENT 'Our id of the postback.' CODEC(ZSTD(1)),
    `received_at` DateTime64(3, 'UTC') COMMENT 'When it arrived, UTC.' CODEC(Delta(8), ZSTD(1)),
    `method` LowCardinality(String) COMMENT 'HTTP method.' CODEC(ZSTD(1)),
    `path` String COMMENT 'Path that was called.' CODEC(ZSTD(1)),
    `query` String COMMENT 'Query string, secrets removed.' CODEC(ZSTD(1)),
    `body` String COMMENT 'Body of the call, secrets removed.' CODEC(ZSTD(1)),
    `ip` String COMMENT 'Address of the caller; hashed or empty where the configuration says so.' CODEC(ZSTD(1)),
    `click_id` String COMMENT 'The click it is about.' CODEC(ZSTD(1)),
    `conversion_id` String COMMENT 'The conversion it is about.' CODEC(ZSTD(1)),
    `external_id` String COMMENT 'The advertiser\'s own id of the order or lead.' CODEC(ZSTD(1)),
    `event_id` String COMMENT 'Id of the goal or event it is about.' CODEC(ZSTD(1)),
    `offer_id` String COMMENT 'The offer\'s id.' CODEC(ZSTD(1)),
    `publisher_id` String COMMENT 'The affiliate\'s id.' CODEC(ZSTD(1)),
    `status` LowCardinality(String) COMMENT 'approved, pending, hold, rejected, trash or unknown.' CODEC(ZSTD(1)),
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.' CODEC(ZSTD(1)),
    `payout` Decimal(38, 10) COMMENT 'The affiliate\'s payout that was told.' CODEC(ZSTD(1)),
    `revenue` Decimal(38, 10) COMMENT 'The network\'s revenue that was told.' CODEC(ZSTD(1)),
    `sale_amount` Decimal(38, 10) COMMENT 'The value of the order that was told.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts.' CODEC(ZSTD(1)),
    `sub1` String COMMENT 'The affiliate\'s parameter 1.' CODEC(ZSTD(1)),
    `sub2` String COMMENT 'The affiliate\'s parameter 2.' CODEC(ZSTD(1)),
    `sub3` String COMMENT 'The affiliate\'s parameter 3.' CODEC(ZSTD(1)),
    `sub4` String COMMENT 'The affiliate\'s parameter 4.' CODEC(ZSTD(1)),
    `sub5` String COMMENT 'The affiliate\'s parameter 5.' CODEC(ZSTD(1)),
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.' CODEC(ZSTD(1)),
    `_window` DateTime('UTC') COMMENT 'Start of the window that the row was pulled in; the epoch for rows without a window.' CODEC(Delta(4), ZSTD(1)),
    `_version` UInt64 COMMENT 'Number of the answer that the row came in; of rows with equal keys the greatest counts.' CODEC(Delta(8), ZSTD(1)),
    `_deleted` UInt8 COMMENT '1 when the network no longer has the row.' CODEC(ZSTD(1)),
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.' CODEC(Delta(8), ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that loaded the row.' CODEC(ZSTD(1)),
    INDEX `by_received_at` `received_at` TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_version, _deleted)
PARTITION BY toYYYYMM(received_at)
ORDER BY (`account`, `received_at`, `id`)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row is a postback that arrived at our own receiver.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`entities`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.' CODEC(ZSTD(1)),
    `stream` LowCardinality(String) COMMENT 'The stream that the row belongs to; it says what kind of thing the row is.' CODEC(ZSTD(1)),
    `id` String COMMENT 'The thing\'s id within its stream.' CODEC(ZSTD(1)),
    `parent_id` String COMMENT 'Id of the thing that it belongs to.' CODEC(ZSTD(1)),
    `offer_id` String COMMENT 'The offer that it belongs to.' CODEC(ZSTD(1)),
    `publisher_id` String COMMENT 'The affiliate that it belongs to.' CODEC(ZSTD(1)),
    `advertiser_id` String COMMENT 'The advertiser that it belongs to.' CODEC(ZSTD(1)),
    `kind` LowCardinality(String) COMMENT 'Its kind, in the network\'s word.' CODEC(ZSTD(1)),
    `name` String COMMENT 'Its name, title or subject.' CODEC(ZSTD(1)),
    `status` LowCardinality(String) COMMENT 'Status in the network\'s word.' CODEC(ZSTD(1)),
    `description` String COMMENT 'Its text.' CODEC(ZSTD(1)),
    `url` String COMMENT 'Its address.' CODEC(ZSTD(1)),
    `amount` Decimal(38, 10) COMMENT 'Its amount, limit, rate or balance.' CODEC(ZSTD(1)),
    `used_amount` Decimal(38, 10) COMMENT 'How much of the amount is used up, held or not available.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.' CODEC(ZSTD(1)),
    `valid_from` DateTime64(3, 'UTC') COMMENT 'When it begins to hold, UTC.' CODEC(Delta(8), ZSTD(1)),
    `valid_to` DateTime64(3, 'UTC') COMMENT 'When it ceases to hold, UTC.' CODEC(Delta(8), ZSTD(1)),
    `created_at` DateTime64(3, 'UTC') COMMENT 'When it was made, UTC.' CODEC(Delta(8), ZSTD(1)),
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.' CODEC(Delta(8), ZSTD(1)),
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.' CODEC(ZSTD(1)),
    `_window` DateTime('UTC') COMMENT 'Start of the window that the row was pulled in; the epoch for rows without a window.' CODEC(Delta(4), ZSTD(1)),
    `_version` UInt64 COMMENT 'Number of the answer that the row came in; of rows with equal keys the greatest counts.' CODEC(Delta(8), ZSTD(1)),
    `_deleted` UInt8 COMMENT '1 when the network no longer has the row.' CODEC(ZSTD(1)),
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.' CODEC(Delta(8), ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that loaded the row.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(_version, _deleted)
ORDER BY (`account`, `stream`, `id`)
SETTINGS non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row is anything else that a network\'s read API gives: a cap, balance, invoice, piece of news, ticket, currency.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`raw_pages`
(
    `network` LowCardinality(String) COMMENT 'The network, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration.' CODEC(ZSTD(1)),
    `stream` LowCardinality(String) COMMENT 'The stream of the account.' CODEC(ZSTD(1)),
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the answer was received, UTC.' CODEC(Delta(8), ZSTD(1)),
    `page_seq` UInt64 COMMENT 'Number of the page; increasing over all accounts.' CODEC(ZSTD(1)),
    `pull_id` UInt64 COMMENT 'The pull that the page belongs to.' CODEC(ZSTD(1)),
    `request` String COMMENT 'The call, without secrets.' CODEC(ZSTD(1)),
    `window_from` DateTime64(3, 'UTC') COMMENT 'Start of the pull\'s window; the epoch when it has none.' CODEC(Delta(8), ZSTD(1)),
    `window_to` DateTime64(3, 'UTC') COMMENT 'End of the pull\'s window; the epoch when it has none.' CODEC(Delta(8), ZSTD(1)),
    `pull_kind` LowCardinality(String) COMMENT 'What the pull asked for: window, snapshot or changes.' CODEC(ZSTD(1)),
    `pull_version` UInt64 COMMENT 'The pull\'s version; its pages have greater ones.' CODEC(ZSTD(1)),
    `pulled_at` DateTime64(3, 'UTC') COMMENT 'When the pull was made, before its first call, UTC.' CODEC(Delta(8), ZSTD(1)),
    `pull_pages` UInt64 COMMENT 'How many pages the pull has.' CODEC(ZSTD(1)),
    `file` String COMMENT 'The downloaded file that has the records, in the spool; empty when the body has them.' CODEC(ZSTD(1)),
    `records` UInt64 COMMENT 'Records on the page.' CODEC(ZSTD(1)),
    `raw_bytes` UInt64 COMMENT 'Size of the body before compression.' CODEC(ZSTD(1)),
    `body` String COMMENT 'The answer as it was received, secrets removed, compressed with zstd.' CODEC(NONE),
    `_version` UInt64 COMMENT 'The version of the rows that came of the page.' CODEC(ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that made the call.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY toYYYYMM(received_at)
ORDER BY (`account`, `stream`, `received_at`, `page_seq`)
TTL toDateTime(received_at) + toIntervalSecond(7776000)
SETTINGS non_replicated_deduplication_window = 0
COMMENT 'One row is one answer of a network.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`quarantine`
(
    `network` LowCardinality(String) COMMENT 'The network, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration.' CODEC(ZSTD(1)),
    `stream` LowCardinality(String) COMMENT 'The stream of the account.' CODEC(ZSTD(1)),
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the page with the record was received, UTC.' CODEC(Delta(8), ZSTD(1)),
    `page_seq` UInt64 COMMENT 'The page, as in raw_pages.' CODEC(ZSTD(1)),
    `record_index` UInt64 COMMENT 'Place of the record on the page, from 0.' CODEC(ZSTD(1)),
    `table_name` LowCardinality(String) COMMENT 'The table that the record was meant for.' CODEC(ZSTD(1)),
    `pull_id` UInt64 COMMENT 'The pull that the page belongs to.' CODEC(ZSTD(1)),
    `reason` String COMMENT 'Why the record could not be normalized.' CODEC(ZSTD(1)),
    `record` String COMMENT 'The record as the network sent it.' CODEC(ZSTD(1)),
    `_version` UInt64 COMMENT 'The version that the row would have had.' CODEC(ZSTD(1)),
    `_run_id` LowCardinality(String) COMMENT 'The run that read the record.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY toYYYYMM(received_at)
ORDER BY (`account`, `stream`, `received_at`, `page_seq`, `table_name`, `record_index`)
SETTINGS non_replicated_deduplication_window = 0
COMMENT 'One row is a record that could not be normalized.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`restatements`
(
    `network` LowCardinality(String) COMMENT 'The network, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration.' CODEC(ZSTD(1)),
    `stream` LowCardinality(String) COMMENT 'The stream of the account.' CODEC(ZSTD(1)),
    `window_from` DateTime64(3, 'UTC') COMMENT 'Start of the window; the epoch for a stream without windows.' CODEC(Delta(8), ZSTD(1)),
    `window_to` DateTime64(3, 'UTC') COMMENT 'End of the window; the epoch for a stream without windows.' CODEC(Delta(8), ZSTD(1)),
    `pull_version` UInt64 COMMENT 'The version of the pull that brought the difference.' CODEC(ZSTD(1)),
    `table_name` LowCardinality(String) COMMENT 'The table whose rows differ.' CODEC(ZSTD(1)),
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts.' CODEC(ZSTD(1)),
    `added` UInt64 COMMENT 'Rows that were not visible before.' CODEC(ZSTD(1)),
    `changed` UInt64 COMMENT 'Rows whose content differs.' CODEC(ZSTD(1)),
    `removed` UInt64 COMMENT 'Rows that the network no longer has.' CODEC(ZSTD(1)),
    `payout_before` Decimal(38, 10) COMMENT 'Payout of these rows before.' CODEC(ZSTD(1)),
    `payout_after` Decimal(38, 10) COMMENT 'Payout of these rows now.' CODEC(ZSTD(1)),
    `revenue_before` Decimal(38, 10) COMMENT 'Revenue of these rows before.' CODEC(ZSTD(1)),
    `revenue_after` Decimal(38, 10) COMMENT 'Revenue of these rows now.' CODEC(ZSTD(1)),
    `tier` LowCardinality(String) COMMENT 'Urgency of the pull: hot, warm, cold or backfill; remap where its answers were only read anew.' CODEC(ZSTD(1)),
    `at` DateTime64(3, 'UTC') COMMENT 'When the difference was found, UTC.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (`account`, `stream`, `window_from`, `window_to`, `pull_version`, `table_name`, `currency`)
SETTINGS non_replicated_deduplication_window = 0
COMMENT 'One row says how a later pull of a window differed from what was visible, for one table and currency. The amounts are sums over the rows that were added, changed or removed.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`arrivals`
(
    `network` LowCardinality(String) COMMENT 'The network, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration.' CODEC(ZSTD(1)),
    `stream` LowCardinality(String) COMMENT 'The stream of the account.' CODEC(ZSTD(1)),
    `pull_version` UInt64 COMMENT 'The version of the pull that brought the difference.' CODEC(ZSTD(1)),
    `offer_id` String COMMENT 'The offer\'s id.' CODEC(ZSTD(1)),
    `event` Array(LowCardinality(String)) COMMENT 'added, changed or removed.' CODEC(ZSTD(1)),
    `after_click` Array(UInt16) COMMENT 'Within how many hours of their click; 0 when that is not known.' CODEC(ZSTD(1)),
    `after_creation` Array(UInt16) COMMENT 'Within how many hours of their creation; 0 when that is not known.' CODEC(ZSTD(1)),
    `rows` Array(UInt64) COMMENT 'How many rows.' CODEC(ZSTD(1)),
    `at` DateTime64(3, 'UTC') COMMENT 'When the difference was found, UTC.' CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (`account`, `stream`, `pull_version`, `offer_id`)
SETTINGS non_replicated_deduplication_window = 0
COMMENT 'One row is an offer whose conversions a later pull of a window added, changed or removed. Its arrays are one list: how many rows of which age that was.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`runs`
(
    `network` LowCardinality(String) COMMENT 'The network, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration.' CODEC(ZSTD(1)),
    `stream` LowCardinality(String) COMMENT 'The stream of the account.' CODEC(ZSTD(1)),
    `started_at` DateTime64(3, 'UTC') COMMENT 'When the run began, UTC.' CODEC(Delta(8), ZSTD(1)),
    `finished_at` DateTime64(3, 'UTC') COMMENT 'When it ended, UTC; the epoch while it goes on.' CODEC(Delta(8), ZSTD(1)),
    `run_id` String COMMENT 'The run\'s name.' CODEC(ZSTD(1)),
    `calls` UInt64 COMMENT 'Calls made.' CODEC(ZSTD(1)),
    `rows` UInt64 COMMENT 'Rows brought.' CODEC(ZSTD(1)),
    `error` String COMMENT 'What went wrong; empty for success.' CODEC(ZSTD(1)),
    `_version` UInt64 COMMENT 'When the row was written, milliseconds since the epoch.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY toYYYYMM(started_at)
ORDER BY (`account`, `stream`, `started_at`, `run_id`)
SETTINGS non_replicated_deduplication_window = 0
COMMENT 'One row is a stream brought up to date once.';

CREATE TABLE IF NOT EXISTS `affiliate_store`.`streams`
(
    `network` LowCardinality(String) COMMENT 'The network, as in the catalogue.' CODEC(ZSTD(1)),
    `account` LowCardinality(String) COMMENT 'The account of the configuration.' CODEC(ZSTD(1)),
    `stream` LowCardinality(String) COMMENT 'The stream of the account.' CODEC(ZSTD(1)),
    `state` LowCardinality(String) COMMENT 'Where the stream stands, in a word or two.' CODEC(ZSTD(1)),
    `last_success` DateTime64(3, 'UTC') COMMENT 'When rows of it were last published, UTC; the epoch if never.' CODEC(Delta(8), ZSTD(1)),
    `complete_to` DateTime64(3, 'UTC') COMMENT 'Everything before this instant has been pulled; the epoch when not known.' CODEC(Delta(8), ZSTD(1)),
    `next_run` DateTime64(3, 'UTC') COMMENT 'When it is due next, UTC; the epoch if not planned.' CODEC(Delta(8), ZSTD(1)),
    `rows` UInt64 COMMENT 'Rows of its last publication.' CODEC(ZSTD(1)),
    `last_error` String COMMENT 'Its last failure in words; empty after a success.' CODEC(ZSTD(1)),
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When this row was written, UTC.' CODEC(Delta(8), ZSTD(1)),
    `_version` UInt64 COMMENT 'When the row was written, milliseconds since the epoch.' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY (`account`, `stream`)
SETTINGS non_replicated_deduplication_window = 0
COMMENT 'One row is a stream and where it stands.';
