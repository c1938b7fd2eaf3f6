CREATE OR REPLACE VIEW `affiliate`.`offers`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.',
    `offer_id` String COMMENT 'The offer\'s id, as conversions and clicks carry it.',
    `network_offer_id` String COMMENT 'Another id that the network gives to the offer.',
    `external_id` String COMMENT 'The advertiser\'s own id of the offer.',
    `integration_id` LowCardinality(String) COMMENT 'The part of the account that the offer lives in, where a network has such parts.',
    `name` String COMMENT 'The offer\'s name.',
    `status` LowCardinality(String) COMMENT 'active, paused, stopped and so on.',
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.',
    `advertiser_id` String COMMENT 'The advertiser\'s id.',
    `advertiser_name` LowCardinality(String) COMMENT 'The advertiser\'s name.',
    `description` String COMMENT 'Description, as the network formats it.',
    `preview_url` String COMMENT 'Where people may look at what is offered.',
    `tracking_url` String COMMENT 'The link that traffic is sent to.',
    `destination_url` String COMMENT 'The advertiser\'s address behind the tracking link.',
    `logo_url` String COMMENT 'The offer\'s picture.',
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.',
    `payout` Decimal(38, 10) COMMENT 'What the affiliate gets for the default event.',
    `payout_type` LowCardinality(String) COMMENT 'How the payout is reckoned: fixed, percent and so on.',
    `revenue` Decimal(38, 10) COMMENT 'What the network gets for the default event.',
    `countries` String COMMENT 'Countries where the offer runs.',
    `categories` String COMMENT 'The offer\'s categories.',
    `tags` String COMMENT 'The offer\'s tags.',
    `privacy` LowCardinality(String) COMMENT 'Who may see the offer, in the network\'s word.',
    `is_private` UInt8 COMMENT '1 when only chosen affiliates may run it.',
    `is_top` UInt8 COMMENT '1 when the network recommends it.',
    `requires_approval` UInt8 COMMENT '1 when affiliates must ask before they run it.',
    `hold_days` UInt64 COMMENT 'Length of the hold period in days.',
    `conversion_rate` Decimal(38, 10) COMMENT 'Conversion rate that the network shows, percent.',
    `epc` Decimal(38, 10) COMMENT 'Earnings per click that the network shows.',
    `caps` String COMMENT 'The offer\'s limits, as the network\'s JSON.',
    `targeting` String COMMENT 'Whom the offer is for, as the network\'s JSON.',
    `starts_at` DateTime64(3, 'UTC') COMMENT 'When the offer starts, UTC.',
    `ends_at` DateTime64(3, 'UTC') COMMENT 'When the offer stops, UTC.',
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the offer was made, UTC.',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.',
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.',
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `offer_id`,
    `network_offer_id`,
    `external_id`,
    `integration_id`,
    `name`,
    `status`,
    `status_raw`,
    `advertiser_id`,
    `advertiser_name`,
    `description`,
    `preview_url`,
    `tracking_url`,
    `destination_url`,
    `logo_url`,
    `currency`,
    `payout`,
    `payout_type`,
    `revenue`,
    `countries`,
    `categories`,
    `tags`,
    `privacy`,
    `is_private`,
    `is_top`,
    `requires_approval`,
    `hold_days`,
    `conversion_rate`,
    `epc`,
    `caps`,
    `targeting`,
    `starts_at`,
    `ends_at`,
    `created_at`,
    `updated_at`,
    `extra`,
    `_synced_at`
FROM `affiliate_store`.`offers` FINAL
WHERE `_deleted` = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is an offer.';

CREATE OR REPLACE VIEW `affiliate`.`offer_events`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.',
    `offer_id` String COMMENT 'The offer\'s id.',
    `event_id` String COMMENT 'Id of the goal or event, or of one rate of it where several are paid.',
    `name` String COMMENT 'Name of the goal or event.',
    `goal` LowCardinality(String) COMMENT 'The goal\'s number or code as conversions carry it in event_id.',
    `status` LowCardinality(String) COMMENT 'Status in the network\'s word.',
    `payout` Decimal(38, 10) COMMENT 'What the affiliate gets for it.',
    `payout_type` LowCardinality(String) COMMENT 'How the payout is reckoned: fixed, percent and so on.',
    `revenue` Decimal(38, 10) COMMENT 'What the network gets for it.',
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.',
    `countries` String COMMENT 'Countries that the rate holds for; empty for all.',
    `devices` String COMMENT 'Devices that the rate holds for; empty for all.',
    `os` String COMMENT 'Operating systems that the rate holds for; empty for all.',
    `publishers` String COMMENT 'Affiliates that the rate holds for; empty for all.',
    `created_at` DateTime64(3, 'UTC') COMMENT 'When it was made, UTC.',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.',
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.',
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `offer_id`,
    `event_id`,
    `name`,
    `goal`,
    `status`,
    `payout`,
    `payout_type`,
    `revenue`,
    `currency`,
    `countries`,
    `devices`,
    `os`,
    `publishers`,
    `created_at`,
    `updated_at`,
    `extra`,
    `_synced_at`
FROM `affiliate_store`.`offer_events` FINAL
WHERE `_deleted` = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is a goal or event of an offer with what it pays.';

CREATE OR REPLACE VIEW `affiliate`.`landing_pages`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.',
    `landing_page_id` String COMMENT 'The landing page\'s id.',
    `offer_id` String COMMENT 'The offer\'s id.',
    `name` String COMMENT 'The landing page\'s name.',
    `status` LowCardinality(String) COMMENT 'Status in the network\'s word.',
    `kind` LowCardinality(String) COMMENT 'landing, prelanding and so on.',
    `url` String COMMENT 'Its address.',
    `preview_url` String COMMENT 'Where people may look at it.',
    `created_at` DateTime64(3, 'UTC') COMMENT 'When it was made, UTC.',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.',
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.',
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `landing_page_id`,
    `offer_id`,
    `name`,
    `status`,
    `kind`,
    `url`,
    `preview_url`,
    `created_at`,
    `updated_at`,
    `extra`,
    `_synced_at`
FROM `affiliate_store`.`landing_pages` FINAL
WHERE `_deleted` = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is a landing page of an offer.';

CREATE OR REPLACE VIEW `affiliate`.`publishers`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.',
    `publisher_id` String COMMENT 'The affiliate\'s id.',
    `name` String COMMENT 'The affiliate\'s name.',
    `login` String COMMENT 'The name the affiliate logs in with.',
    `email` String COMMENT 'The affiliate\'s e-mail address; hashed or empty where the configuration says so.',
    `status` LowCardinality(String) COMMENT 'active, inactive, banned and so on.',
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.',
    `roles` String COMMENT 'The affiliate\'s roles.',
    `company` String COMMENT 'The affiliate\'s company.',
    `url` String COMMENT 'The affiliate\'s site.',
    `country` LowCardinality(String) COMMENT 'The affiliate\'s country.',
    `manager_id` String COMMENT 'Id of the user who looks after the affiliate.',
    `referrer_id` String COMMENT 'Id of the affiliate who brought the affiliate.',
    `tags` String COMMENT 'The affiliate\'s tags.',
    `notes` String COMMENT 'The network\'s notes on the affiliate.',
    `offers` UInt64 COMMENT 'How many offers the affiliate has.',
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the affiliate was registered, UTC.',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.',
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.',
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `publisher_id`,
    `name`,
    `login`,
    `email`,
    `status`,
    `status_raw`,
    `roles`,
    `company`,
    `url`,
    `country`,
    `manager_id`,
    `referrer_id`,
    `tags`,
    `notes`,
    `offers`,
    `created_at`,
    `updated_at`,
    `extra`,
    `_synced_at`
FROM `affiliate_store`.`publishers` FINAL
WHERE `_deleted` = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is an affiliate.';

CREATE OR REPLACE VIEW `affiliate`.`advertisers`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.',
    `advertiser_id` String COMMENT 'The advertiser\'s id.',
    `name` String COMMENT 'The advertiser\'s name.',
    `login` String COMMENT 'The name the advertiser logs in with.',
    `email` String COMMENT 'The advertiser\'s e-mail address; hashed or empty where the configuration says so.',
    `status` LowCardinality(String) COMMENT 'active, inactive, banned and so on.',
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.',
    `roles` String COMMENT 'The advertiser\'s roles.',
    `company` String COMMENT 'The advertiser\'s company.',
    `url` String COMMENT 'The advertiser\'s site.',
    `country` LowCardinality(String) COMMENT 'The advertiser\'s country.',
    `manager_id` String COMMENT 'Id of the user who looks after the advertiser.',
    `referrer_id` String COMMENT 'Id of the affiliate who brought the advertiser.',
    `tags` String COMMENT 'The advertiser\'s tags.',
    `notes` String COMMENT 'The network\'s notes on the advertiser.',
    `offers` UInt64 COMMENT 'How many offers the advertiser has.',
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the advertiser was registered, UTC.',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.',
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.',
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `advertiser_id`,
    `name`,
    `login`,
    `email`,
    `status`,
    `status_raw`,
    `roles`,
    `company`,
    `url`,
    `country`,
    `manager_id`,
    `referrer_id`,
    `tags`,
    `notes`,
    `offers`,
    `created_at`,
    `updated_at`,
    `extra`,
    `_synced_at`
FROM `affiliate_store`.`advertisers` FINAL
WHERE `_deleted` = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is an advertiser.';

CREATE OR REPLACE VIEW `affiliate`.`users`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.',
    `user_id` String COMMENT 'The user\'s id.',
    `name` String COMMENT 'The user\'s name.',
    `login` String COMMENT 'The name the user logs in with.',
    `email` String COMMENT 'The user\'s e-mail address; hashed or empty where the configuration says so.',
    `status` LowCardinality(String) COMMENT 'active, inactive, banned and so on.',
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.',
    `roles` String COMMENT 'The user\'s roles.',
    `company` String COMMENT 'The user\'s company.',
    `url` String COMMENT 'The user\'s site.',
    `country` LowCardinality(String) COMMENT 'The user\'s country.',
    `manager_id` String COMMENT 'Id of the user who looks after the user.',
    `referrer_id` String COMMENT 'Id of the affiliate who brought the user.',
    `tags` String COMMENT 'The user\'s tags.',
    `notes` String COMMENT 'The network\'s notes on the user.',
    `offers` UInt64 COMMENT 'How many offers the user has.',
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the user was registered, UTC.',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.',
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.',
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `user_id`,
    `name`,
    `login`,
    `email`,
    `status`,
    `status_raw`,
    `roles`,
    `company`,
    `url`,
    `country`,
    `manager_id`,
    `referrer_id`,
    `tags`,
    `notes`,
    `offers`,
    `created_at`,
    `updated_at`,
    `extra`,
    `_synced_at`
FROM `affiliate_store`.`users` FINAL
WHERE `_deleted` = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is a user or manager at the network.';

CREATE OR REPLACE VIEW `affiliate`.`clicks`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.',
    `click_id` String COMMENT 'The network\'s id of the click.',
    `external_id` String COMMENT 'The id that the advertiser or the traffic source gave to the click.',
    `conversion_id` String COMMENT 'The conversion that came of the click, where the network says so.',
    `landing_page_id` String COMMENT 'The landing page that the click went to.',
    `landing_url` String COMMENT 'Address that the click went to.',
    `offer_id` String COMMENT 'The offer\'s id.',
    `offer_name` LowCardinality(String) COMMENT 'The offer\'s name when the event was read.',
    `publisher_id` String COMMENT 'The affiliate\'s id.',
    `publisher_name` LowCardinality(String) COMMENT 'The affiliate\'s name when the event was read.',
    `advertiser_id` String COMMENT 'The advertiser\'s id.',
    `advertiser_name` LowCardinality(String) COMMENT 'The advertiser\'s name when the event was read.',
    `status` LowCardinality(String) COMMENT 'The network\'s verdict on the click.',
    `status_reason` String COMMENT 'Why the click was refused.',
    `is_unique` UInt8 COMMENT '1 for the first click of a visitor.',
    `has_conversion` UInt8 COMMENT '1 when a conversion came of the click.',
    `payout` Decimal(38, 10) COMMENT 'What the affiliate gets for it.',
    `revenue` Decimal(38, 10) COMMENT 'What the network gets for it.',
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.',
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the click happened, UTC.',
    `report_date` Date COMMENT 'The report day of the click, in the account\'s zone.',
    `country` LowCardinality(String) COMMENT 'Country of the visitor, ISO 3166 alpha-2.',
    `region` LowCardinality(String) COMMENT 'Region of the visitor.',
    `city` LowCardinality(String) COMMENT 'City of the visitor.',
    `ip` String COMMENT 'Address of the visitor; hashed or empty where the configuration says so.',
    `isp` LowCardinality(String) COMMENT 'Internet provider or carrier of the visitor.',
    `connection_type` LowCardinality(String) COMMENT 'Kind of connection: wi-fi, cellular.',
    `device_type` LowCardinality(String) COMMENT 'desktop, mobile, tablet and so on.',
    `device_brand` LowCardinality(String) COMMENT 'Maker of the device.',
    `device_model` LowCardinality(String) COMMENT 'Model of the device.',
    `os` LowCardinality(String) COMMENT 'Operating system.',
    `os_version` LowCardinality(String) COMMENT 'Version of the operating system.',
    `browser` LowCardinality(String) COMMENT 'Browser.',
    `browser_version` LowCardinality(String) COMMENT 'Version of the browser.',
    `user_agent` String COMMENT 'The browser\'s User-Agent.',
    `referer` String COMMENT 'Address of the page that the visitor came from.',
    `sub1` String COMMENT 'The affiliate\'s parameter 1.',
    `sub2` String COMMENT 'The affiliate\'s parameter 2.',
    `sub3` String COMMENT 'The affiliate\'s parameter 3.',
    `sub4` String COMMENT 'The affiliate\'s parameter 4.',
    `sub5` String COMMENT 'The affiliate\'s parameter 5.',
    `sub6` String COMMENT 'The affiliate\'s parameter 6.',
    `sub7` String COMMENT 'The affiliate\'s parameter 7.',
    `sub8` String COMMENT 'The affiliate\'s parameter 8.',
    `is_test` UInt8 COMMENT '1 for test traffic.',
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.',
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `click_id`,
    `external_id`,
    `conversion_id`,
    `landing_page_id`,
    `landing_url`,
    `offer_id`,
    `offer_name`,
    `publisher_id`,
    `publisher_name`,
    `advertiser_id`,
    `advertiser_name`,
    `status`,
    `status_reason`,
    `is_unique`,
    `has_conversion`,
    `payout`,
    `revenue`,
    `currency`,
    `created_at`,
    `report_date`,
    `country`,
    `region`,
    `city`,
    `ip`,
    `isp`,
    `connection_type`,
    `device_type`,
    `device_brand`,
    `device_model`,
    `os`,
    `os_version`,
    `browser`,
    `browser_version`,
    `user_agent`,
    `referer`,
    `sub1`,
    `sub2`,
    `sub3`,
    `sub4`,
    `sub5`,
    `sub6`,
    `sub7`,
    `sub8`,
    `is_test`,
    `extra`,
    `_synced_at`
FROM `affiliate_store`.`clicks` FINAL
WHERE `_deleted` = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is a click.';

CREATE OR REPLACE VIEW `affiliate`.`impressions`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.',
    `impression_id` String COMMENT 'The network\'s id of the impression.',
    `external_id` String COMMENT 'The id that the traffic source gave to the impression.',
    `click_id` String COMMENT 'The click that came of the impression, where the network says so.',
    `creative_id` String COMMENT 'The creative that was shown.',
    `offer_id` String COMMENT 'The offer\'s id.',
    `offer_name` LowCardinality(String) COMMENT 'The offer\'s name when the event was read.',
    `publisher_id` String COMMENT 'The affiliate\'s id.',
    `publisher_name` LowCardinality(String) COMMENT 'The affiliate\'s name when the event was read.',
    `advertiser_id` String COMMENT 'The advertiser\'s id.',
    `advertiser_name` LowCardinality(String) COMMENT 'The advertiser\'s name when the event was read.',
    `payout` Decimal(38, 10) COMMENT 'What the affiliate gets for it.',
    `revenue` Decimal(38, 10) COMMENT 'What the network gets for it.',
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.',
    `is_unique` UInt8 COMMENT '1 for the first impression of a visitor.',
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the impression happened, UTC.',
    `report_date` Date COMMENT 'The report day of the impression, in the account\'s zone.',
    `country` LowCardinality(String) COMMENT 'Country of the visitor, ISO 3166 alpha-2.',
    `region` LowCardinality(String) COMMENT 'Region of the visitor.',
    `city` LowCardinality(String) COMMENT 'City of the visitor.',
    `ip` String COMMENT 'Address of the visitor; hashed or empty where the configuration says so.',
    `isp` LowCardinality(String) COMMENT 'Internet provider or carrier of the visitor.',
    `connection_type` LowCardinality(String) COMMENT 'Kind of connection: wi-fi, cellular.',
    `device_type` LowCardinality(String) COMMENT 'desktop, mobile, tablet and so on.',
    `device_brand` LowCardinality(String) COMMENT 'Maker of the device.',
    `device_model` LowCardinality(String) COMMENT 'Model of the device.',
    `os` LowCardinality(String) COMMENT 'Operating system.',
    `os_version` LowCardinality(String) COMMENT 'Version of the operating system.',
    `browser` LowCardinality(String) COMMENT 'Browser.',
    `browser_version` LowCardinality(String) COMMENT 'Version of the browser.',
    `user_agent` String COMMENT 'The browser\'s User-Agent.',
    `referer` String COMMENT 'Address of the page that the visitor came from.',
    `sub1` String COMMENT 'The affiliate\'s parameter 1.',
    `sub2` String COMMENT 'The affiliate\'s parameter 2.',
    `sub3` String COMMENT 'The affiliate\'s parameter 3.',
    `sub4` String COMMENT 'The affiliate\'s parameter 4.',
    `sub5` String COMMENT 'The affiliate\'s parameter 5.',
    `sub6` String COMMENT 'The affiliate\'s parameter 6.',
    `sub7` String COMMENT 'The affiliate\'s parameter 7.',
    `sub8` String COMMENT 'The affiliate\'s parameter 8.',
    `is_test` UInt8 COMMENT '1 for test traffic.',
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.',
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `impression_id`,
    `external_id`,
    `click_id`,
    `creative_id`,
    `offer_id`,
    `offer_name`,
    `publisher_id`,
    `publisher_name`,
    `advertiser_id`,
    `advertiser_name`,
    `payout`,
    `revenue`,
    `currency`,
    `is_unique`,
    `created_at`,
    `report_date`,
    `country`,
    `region`,
    `city`,
    `ip`,
    `isp`,
    `connection_type`,
    `device_type`,
    `device_brand`,
    `device_model`,
    `os`,
    `os_version`,
    `browser`,
    `browser_version`,
    `user_agent`,
    `referer`,
    `sub1`,
    `sub2`,
    `sub3`,
    `sub4`,
    `sub5`,
    `sub6`,
    `sub7`,
    `sub8`,
    `is_test`,
    `extra`,
    `_synced_at`
FROM `affiliate_store`.`impressions` FINAL
WHERE `_deleted` = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is an impression.';

CREATE OR REPLACE VIEW `affiliate`.`conversions`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.',
    `conversion_id` String COMMENT 'The network\'s id of the conversion.',
    `click_id` String COMMENT 'The click that it came of.',
    `external_id` String COMMENT 'The advertiser\'s own id of the order or lead.',
    `event_id` String COMMENT 'Id of the goal or event that was reached.',
    `event_name` LowCardinality(String) COMMENT 'Name of the goal or event that was reached.',
    `offer_id` String COMMENT 'The offer\'s id.',
    `offer_name` LowCardinality(String) COMMENT 'The offer\'s name when the event was read.',
    `publisher_id` String COMMENT 'The affiliate\'s id.',
    `publisher_name` LowCardinality(String) COMMENT 'The affiliate\'s name when the event was read.',
    `advertiser_id` String COMMENT 'The advertiser\'s id.',
    `advertiser_name` LowCardinality(String) COMMENT 'The advertiser\'s name when the event was read.',
    `status` LowCardinality(String) COMMENT 'approved, pending, hold, rejected, trash or unknown.',
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.',
    `status_reason` String COMMENT 'Why the conversion was refused, or another comment on its status.',
    `payout` Decimal(38, 10) COMMENT 'What the affiliate gets.',
    `revenue` Decimal(38, 10) COMMENT 'What the network gets from the advertiser.',
    `profit` Decimal(38, 10) COMMENT 'What the network keeps.',
    `sale_amount` Decimal(38, 10) COMMENT 'The value of the order.',
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.',
    `payout_type` LowCardinality(String) COMMENT 'How the payout is reckoned: fixed, percent.',
    `payment_status` LowCardinality(String) COMMENT 'Whether the payout has been paid, in the network\'s word.',
    `created_at` DateTime64(3, 'UTC') COMMENT 'When the conversion happened, UTC.',
    `click_at` DateTime64(3, 'UTC') COMMENT 'When the click happened, UTC.',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.',
    `hold_until` DateTime64(3, 'UTC') COMMENT 'When the hold period ends, UTC.',
    `report_date` Date COMMENT 'The report day of the conversion, in the account\'s zone.',
    `country` LowCardinality(String) COMMENT 'Country of the visitor, ISO 3166 alpha-2.',
    `region` LowCardinality(String) COMMENT 'Region of the visitor.',
    `city` LowCardinality(String) COMMENT 'City of the visitor.',
    `ip` String COMMENT 'Address of the visitor; hashed or empty where the configuration says so.',
    `isp` LowCardinality(String) COMMENT 'Internet provider or carrier of the visitor.',
    `connection_type` LowCardinality(String) COMMENT 'Kind of connection: wi-fi, cellular.',
    `device_type` LowCardinality(String) COMMENT 'desktop, mobile, tablet and so on.',
    `device_brand` LowCardinality(String) COMMENT 'Maker of the device.',
    `device_model` LowCardinality(String) COMMENT 'Model of the device.',
    `os` LowCardinality(String) COMMENT 'Operating system.',
    `os_version` LowCardinality(String) COMMENT 'Version of the operating system.',
    `browser` LowCardinality(String) COMMENT 'Browser.',
    `browser_version` LowCardinality(String) COMMENT 'Version of the browser.',
    `user_agent` String COMMENT 'The browser\'s User-Agent.',
    `referer` String COMMENT 'Address of the page that the visitor came from.',
    `sub1` String COMMENT 'The affiliate\'s parameter 1.',
    `sub2` String COMMENT 'The affiliate\'s parameter 2.',
    `sub3` String COMMENT 'The affiliate\'s parameter 3.',
    `sub4` String COMMENT 'The affiliate\'s parameter 4.',
    `sub5` String COMMENT 'The affiliate\'s parameter 5.',
    `sub6` String COMMENT 'The affiliate\'s parameter 6.',
    `sub7` String COMMENT 'The affiliate\'s parameter 7.',
    `sub8` String COMMENT 'The affiliate\'s parameter 8.',
    `is_test` UInt8 COMMENT '1 for test traffic.',
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.',
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `conversion_id`,
    `click_id`,
    `external_id`,
    `event_id`,
    `event_name`,
    `offer_id`,
    `offer_name`,
    `publisher_id`,
    `publisher_name`,
    `advertiser_id`,
    `advertiser_name`,
    `status`,
    `status_raw`,
    `status_reason`,
    `payout`,
    `revenue`,
    `profit`,
    `sale_amount`,
    `currency`,
    `payout_type`,
    `payment_status`,
    `created_at`,
    `click_at`,
    `updated_at`,
    `hold_until`,
    `report_date`,
    `country`,
    `region`,
    `city`,
    `ip`,
    `isp`,
    `connection_type`,
    `device_type`,
    `device_brand`,
    `device_model`,
    `os`,
    `os_version`,
    `browser`,
    `browser_version`,
    `user_agent`,
    `referer`,
    `sub1`,
    `sub2`,
    `sub3`,
    `sub4`,
    `sub5`,
    `sub6`,
    `sub7`,
    `sub8`,
    `is_test`,
    `extra`,
    `_synced_at`
FROM `affiliate_store`.`conversions` FINAL
WHERE `_deleted` = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is a conversion, lead, order or sale.';

CREATE OR REPLACE VIEW `affiliate`.`stats`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.',
    `report` LowCardinality(String) COMMENT 'The report\'s name. Rows of different reports count the same traffic: never sum over reports.',
    `report_date` Date COMMENT 'The report day, in the account\'s zone.',
    `report_hour` UInt8 COMMENT 'The hour of the report day; 0 in reports by day.',
    `dimension_key` String COMMENT 'The dimensions as one text, name=value, sorted and parted by \\x1f: the part of the key that a Map cannot be.',
    `dimensions` Map(LowCardinality(String), String) COMMENT 'What the row is about, by dimension name.',
    `offer_id` String COMMENT 'The dimension offer_id, where the report has it.',
    `publisher_id` String COMMENT 'The dimension publisher_id, where the report has it.',
    `country` LowCardinality(String) COMMENT 'The dimension country, where the report has it.',
    `sub1` String COMMENT 'The dimension sub1, where the report has it.',
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.',
    `impressions` UInt64 COMMENT 'Impressions.',
    `clicks` UInt64 COMMENT 'Clicks.',
    `unique_clicks` UInt64 COMMENT 'Clicks of different visitors.',
    `conversions` UInt64 COMMENT 'Conversions in any status.',
    `payout` Decimal(38, 10) COMMENT 'What the affiliates get for conversions in any status.',
    `revenue` Decimal(38, 10) COMMENT 'What the network gets for conversions in any status.',
    `profit` Decimal(38, 10) COMMENT 'What the network keeps of conversions in any status.',
    `approved_conversions` UInt64 COMMENT 'Conversions with the status approved.',
    `approved_payout` Decimal(38, 10) COMMENT 'What the affiliates get for conversions with the status approved.',
    `approved_revenue` Decimal(38, 10) COMMENT 'What the network gets for conversions with the status approved.',
    `pending_conversions` UInt64 COMMENT 'Conversions with the status pending.',
    `pending_payout` Decimal(38, 10) COMMENT 'What the affiliates get for conversions with the status pending.',
    `pending_revenue` Decimal(38, 10) COMMENT 'What the network gets for conversions with the status pending.',
    `hold_conversions` UInt64 COMMENT 'Conversions with the status hold.',
    `hold_payout` Decimal(38, 10) COMMENT 'What the affiliates get for conversions with the status hold.',
    `hold_revenue` Decimal(38, 10) COMMENT 'What the network gets for conversions with the status hold.',
    `rejected_conversions` UInt64 COMMENT 'Conversions with the status rejected.',
    `rejected_payout` Decimal(38, 10) COMMENT 'What the affiliates get for conversions with the status rejected.',
    `rejected_revenue` Decimal(38, 10) COMMENT 'What the network gets for conversions with the status rejected.',
    `trash_conversions` UInt64 COMMENT 'Conversions with the status trash.',
    `trash_payout` Decimal(38, 10) COMMENT 'What the affiliates get for conversions with the status trash.',
    `trash_revenue` Decimal(38, 10) COMMENT 'What the network gets for conversions with the status trash.',
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.',
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `report`,
    `report_date`,
    `report_hour`,
    `dimension_key`,
    `dimensions`,
    `offer_id`,
    `publisher_id`,
    `country`,
    `sub1`,
    `currency`,
    `impressions`,
    `clicks`,
    `unique_clicks`,
    `conversions`,
    `payout`,
    `revenue`,
    `profit`,
    `approved_conversions`,
    `approved_payout`,
    `approved_revenue`,
    `pending_conversions`,
    `pending_payout`,
    `pending_revenue`,
    `hold_conversions`,
    `hold_payout`,
    `hold_revenue`,
    `rejected_conversions`,
    `rejected_payout`,
    `rejected_revenue`,
    `trash_conversions`,
    `trash_payout`,
    `trash_revenue`,
    `extra`,
    `_synced_at`
FROM `affiliate_store`.`stats` FINAL
WHERE `_deleted` = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is a slice of a statistics report.';

CREATE OR REPLACE VIEW `affiliate`.`postback_logs`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.',
    `id` String COMMENT 'The network\'s id of the postback.',
    `direction` LowCardinality(String) COMMENT 'received (from an advertiser) or sent (to an affiliate).',
    `click_id` String COMMENT 'The click it is about.',
    `conversion_id` String COMMENT 'The conversion it is about.',
    `event_id` String COMMENT 'Id of the goal or event it is about.',
    `offer_id` String COMMENT 'The offer\'s id.',
    `publisher_id` String COMMENT 'The affiliate\'s id.',
    `advertiser_id` String COMMENT 'The advertiser\'s id.',
    `url` String COMMENT 'The address that was called.',
    `request` String COMMENT 'What was sent, as the network\'s JSON.',
    `status` LowCardinality(String) COMMENT 'Status of the conversion that was told.',
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.',
    `http_code` UInt64 COMMENT 'HTTP status of the answer; 0 when unknown.',
    `response` String COMMENT 'What was answered.',
    `payout` Decimal(38, 10) COMMENT 'The affiliate\'s payout that was told.',
    `revenue` Decimal(38, 10) COMMENT 'The network\'s revenue that was told.',
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts.',
    `ip` String COMMENT 'Address of the caller; hashed or empty where the configuration says so.',
    `sent_at` DateTime64(3, 'UTC') COMMENT 'When it was sent or received, UTC.',
    `report_date` Date COMMENT 'The report day, in the account\'s zone.',
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.',
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `id`,
    `direction`,
    `click_id`,
    `conversion_id`,
    `event_id`,
    `offer_id`,
    `publisher_id`,
    `advertiser_id`,
    `url`,
    `request`,
    `status`,
    `status_raw`,
    `http_code`,
    `response`,
    `payout`,
    `revenue`,
    `currency`,
    `ip`,
    `sent_at`,
    `report_date`,
    `extra`,
    `_synced_at`
FROM `affiliate_store`.`postback_logs` FINAL
WHERE `_deleted` = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is a postback that the network says it sent or received.';

CREATE OR REPLACE VIEW `affiliate`.`postbacks`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.',
    `id` String COMMENT 'Our id of the postback.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When it arrived, UTC.',
    `method` LowCardinality(String) COMMENT 'HTTP method.',
    `path` String COMMENT 'Path that was called.',
    `query` String COMMENT 'Query string, secrets removed.',
    `body` String COMMENT 'Body of the call, secrets removed.',
    `ip` String COMMENT 'Address of the caller; hashed or empty where the configuration says so.',
    `click_id` String COMMENT 'The click it is about.',
    `conversion_id` String COMMENT 'The conversion it is about.',
    `external_id` String COMMENT 'The advertiser\'s own id of the order or lead.',
    `event_id` String COMMENT 'Id of the goal or event it is about.',
    `offer_id` String COMMENT 'The offer\'s id.',
    `publisher_id` String COMMENT 'The affiliate\'s id.',
    `status` LowCardinality(String) COMMENT 'approved, pending, hold, rejected, trash or unknown.',
    `status_raw` LowCardinality(String) COMMENT 'The status in the network\'s own word.',
    `payout` Decimal(38, 10) COMMENT 'The affiliate\'s payout that was told.',
    `revenue` Decimal(38, 10) COMMENT 'The network\'s revenue that was told.',
    `sale_amount` Decimal(38, 10) COMMENT 'The value of the order that was told.',
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts.',
    `sub1` String COMMENT 'The affiliate\'s parameter 1.',
    `sub2` String COMMENT 'The affiliate\'s parameter 2.',
    `sub3` String COMMENT 'The affiliate\'s parameter 3.',
    `sub4` String COMMENT 'The affiliate\'s parameter 4.',
    `sub5` String COMMENT 'The affiliate\'s parameter 5.',
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.',
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `id`,
    `received_at`,
    `method`,
    `path`,
    `query`,
    `body`,
    `ip`,
    `click_id`,
    `conversion_id`,
    `external_id`,
    `event_id`,
    `offer_id`,
    `publisher_id`,
    `status`,
    `status_raw`,
    `payout`,
    `revenue`,
    `sale_amount`,
    `currency`,
    `sub1`,
    `sub2`,
    `sub3`,
    `sub4`,
    `sub5`,
    `extra`,
    `_synced_at`
FROM `affiliate_store`.`postbacks` FINAL
WHERE `_deleted` = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is a postback that arrived at our own receiver.';

CREATE OR REPLACE VIEW `affiliate`.`entities`
(
    `network` LowCardinality(String) COMMENT 'The network the row came from, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration that the row was read with.',
    `stream` LowCardinality(String) COMMENT 'The stream that the row belongs to; it says what kind of thing the row is.',
    `id` String COMMENT 'The thing\'s id within its stream.',
    `parent_id` String COMMENT 'Id of the thing that it belongs to.',
    `offer_id` String COMMENT 'The offer that it belongs to.',
    `publisher_id` String COMMENT 'The affiliate that it belongs to.',
    `advertiser_id` String COMMENT 'The advertiser that it belongs to.',
    `kind` LowCardinality(String) COMMENT 'Its kind, in the network\'s word.',
    `name` String COMMENT 'Its name, title or subject.',
    `status` LowCardinality(String) COMMENT 'Status in the network\'s word.',
    `description` String COMMENT 'Its text.',
    `url` String COMMENT 'Its address.',
    `amount` Decimal(38, 10) COMMENT 'Its amount, limit, rate or balance.',
    `used_amount` Decimal(38, 10) COMMENT 'How much of the amount is used up, held or not available.',
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts, ISO 4217.',
    `valid_from` DateTime64(3, 'UTC') COMMENT 'When it begins to hold, UTC.',
    `valid_to` DateTime64(3, 'UTC') COMMENT 'When it ceases to hold, UTC.',
    `created_at` DateTime64(3, 'UTC') COMMENT 'When it was made, UTC.',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the network last changed it, UTC.',
    `extra` String COMMENT 'What the network sent beyond the named columns, as one JSON object; empty when there was nothing.',
    `_synced_at` DateTime64(3, 'UTC') COMMENT 'When the answer with the row was received.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `stream`,
    `id`,
    `parent_id`,
    `offer_id`,
    `publisher_id`,
    `advertiser_id`,
    `kind`,
    `name`,
    `status`,
    `description`,
    `url`,
    `amount`,
    `used_amount`,
    `currency`,
    `valid_from`,
    `valid_to`,
    `created_at`,
    `updated_at`,
    `extra`,
    `_synced_at`
FROM `affiliate_store`.`entities` FINAL
WHERE `_deleted` = 0
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is anything else that a network\'s read API gives: a cap, balance, invoice, piece of news, ticket, currency.';

CREATE OR REPLACE VIEW `affiliate`.`quarantine`
(
    `network` LowCardinality(String) COMMENT 'The network, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration.',
    `stream` LowCardinality(String) COMMENT 'The stream of the account.',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the page with the record was received, UTC.',
    `page_seq` UInt64 COMMENT 'The page, as in raw_pages.',
    `record_index` UInt64 COMMENT 'Place of the record on the page, from 0.',
    `table_name` LowCardinality(String) COMMENT 'The table that the record was meant for.',
    `pull_id` UInt64 COMMENT 'The pull that the page belongs to.',
    `reason` String COMMENT 'Why the record could not be normalized.',
    `record` String COMMENT 'The record as the network sent it.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `stream`,
    `received_at`,
    `page_seq`,
    `record_index`,
    `table_name`,
    `pull_id`,
    `reason`,
    `record`
FROM `affiliate_store`.`quarantine` FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is a record that could not be normalized.';

CREATE OR REPLACE VIEW `affiliate`.`restatements`
(
    `network` LowCardinality(String) COMMENT 'The network, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration.',
    `stream` LowCardinality(String) COMMENT 'The stream of the account.',
    `window_from` DateTime64(3, 'UTC') COMMENT 'Start of the window; the epoch for a stream without windows.',
    `window_to` DateTime64(3, 'UTC') COMMENT 'End of the window; the epoch for a stream without windows.',
    `pull_version` UInt64 COMMENT 'The version of the pull that brought the difference.',
    `table_name` LowCardinality(String) COMMENT 'The table whose rows differ.',
    `currency` LowCardinality(String) COMMENT 'Currency of the amounts.',
    `added` UInt64 COMMENT 'Rows that were not visible before.',
    `changed` UInt64 COMMENT 'Rows whose content differs.',
    `removed` UInt64 COMMENT 'Rows that the network no longer has.',
    `payout_before` Decimal(38, 10) COMMENT 'Payout of these rows before.',
    `payout_after` Decimal(38, 10) COMMENT 'Payout of these rows now.',
    `revenue_before` Decimal(38, 10) COMMENT 'Revenue of these rows before.',
    `revenue_after` Decimal(38, 10) COMMENT 'Revenue of these rows now.',
    `tier` LowCardinality(String) COMMENT 'Urgency of the pull: hot, warm, cold or backfill; remap where its answers were only read anew.',
    `at` DateTime64(3, 'UTC') COMMENT 'When the difference was found, UTC.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `stream`,
    `window_from`,
    `window_to`,
    `pull_version`,
    `table_name`,
    `currency`,
    `added`,
    `changed`,
    `removed`,
    `payout_before`,
    `payout_after`,
    `revenue_before`,
    `revenue_after`,
    `tier`,
    `at`
FROM `affiliate_store`.`restatements` FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row says how a later pull of a window differed from what was visible, for one table and currency. The amounts are sums over the rows that were added, changed or removed.';

CREATE OR REPLACE VIEW `affiliate`.`runs`
(
    `network` LowCardinality(String) COMMENT 'The network, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration.',
    `stream` LowCardinality(String) COMMENT 'The stream of the account.',
    `started_at` DateTime64(3, 'UTC') COMMENT 'When the run began, UTC.',
    `finished_at` DateTime64(3, 'UTC') COMMENT 'When it ended, UTC; the epoch while it goes on.',
    `run_id` String COMMENT 'The run\'s name.',
    `calls` UInt64 COMMENT 'Calls made.',
    `rows` UInt64 COMMENT 'Rows brought.',
    `error` String COMMENT 'What went wrong; empty for success.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `stream`,
    `started_at`,
    `finished_at`,
    `run_id`,
    `calls`,
    `rows`,
    `error`
FROM `affiliate_store`.`runs` FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is a stream brought up to date once.';

CREATE OR REPLACE VIEW `affiliate`.`streams`
(
    `network` LowCardinality(String) COMMENT 'The network, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration.',
    `stream` LowCardinality(String) COMMENT 'The stream of the account.',
    `state` LowCardinality(String) COMMENT 'Where the stream stands, in a word or two.',
    `last_success` DateTime64(3, 'UTC') COMMENT 'When rows of it were last published, UTC; the epoch if never.',
    `complete_to` DateTime64(3, 'UTC') COMMENT 'Everything before this instant has been pulled; the epoch when not known.',
    `next_run` DateTime64(3, 'UTC') COMMENT 'When it is due next, UTC; the epoch if not planned.',
    `rows` UInt64 COMMENT 'Rows of its last publication.',
    `last_error` String COMMENT 'Its last failure in words; empty after a success.',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When this row was written, UTC.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    `network`,
    `account`,
    `stream`,
    `state`,
    `last_success`,
    `complete_to`,
    `next_run`,
    `rows`,
    `last_error`,
    `updated_at`
FROM `affiliate_store`.`streams` FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'One row is a stream and where it stands.';

CREATE OR REPLACE VIEW `affiliate`.`daily_performance`
(
    `account` LowCardinality(String) COMMENT 'The account of the configuration.',
    `day` Date COMMENT 'The report day, in the account\'s zone.',
    `offer_id` String COMMENT 'The offer\'s id.',
    `offer_name` String COMMENT 'The offer\'s name.',
    `publisher_id` String COMMENT 'The affiliate\'s id.',
    `publisher_name` String COMMENT 'The affiliate\'s name.',
    `country` LowCardinality(String) COMMENT 'Country of the visitors, ISO 3166 alpha-2.',
    `currency` String COMMENT 'Currency of the amounts, ISO 4217.',
    `clicks` UInt64 COMMENT 'Clicks; on the row of the main currency when there are several.',
    `conversions` UInt64 COMMENT 'Conversions in any status.',
    `approved` UInt64 COMMENT 'Conversions with the status approved.',
    `pending` UInt64 COMMENT 'Conversions with the status pending.',
    `hold` UInt64 COMMENT 'Conversions with the status hold.',
    `rejected` UInt64 COMMENT 'Conversions with the status rejected.',
    `trash` UInt64 COMMENT 'Conversions with the status trash.',
    `unknown` UInt64 COMMENT 'Conversions with the status unknown.',
    `payout` Decimal(38, 10) COMMENT 'What the affiliates get for approved conversions.',
    `revenue` Decimal(38, 10) COMMENT 'What the network gets for approved conversions.',
    `open_payout` Decimal(38, 10) COMMENT 'What the affiliates would get for pending conversions and those on hold.',
    `open_revenue` Decimal(38, 10) COMMENT 'What the network would get for pending conversions and those on hold.',
    `conversion_rate` Decimal(38, 10) COMMENT 'Conversions in any status for each click; 0 without clicks.',
    `epc` Decimal(38, 10) COMMENT 'Earnings per click: payout for each click; 0 without clicks.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    cells.account AS account, day, cells.offer_id AS offer_id, if(o.name = '', cells.offer_name, o.name) AS offer_name,
    publisher_id, publisher_name, country,
    if(m.2 = 0, toString(o.currency), m.1) AS currency,
    if(place = 1, cell_clicks, 0) AS clicks,
    m.2 AS conversions, m.3 AS `approved`, m.4 AS `pending`, m.5 AS `hold`, m.6 AS `rejected`, m.7 AS `trash`, m.8 AS `unknown`,
    m.9 AS payout, m.10 AS revenue, m.11 AS open_payout, m.12 AS open_revenue,
    if(clicks = 0, toDecimal128(0, 10), divideDecimal(toDecimal128(conversions, 0), toDecimal128(greatest(clicks, 1), 0), 10)) AS conversion_rate,
    if(clicks = 0, toDecimal128(0, 10), divideDecimal(payout, toDecimal128(greatest(clicks, 1), 0), 10)) AS epc
FROM
(
    SELECT
        account, day, offer_id, publisher_id, country,
        max(offer) AS offer_name, max(publisher) AS publisher_name, sum(n) AS cell_clicks,
        arrayReverseSort(x -> (x.2, x.1), groupArray(money)) AS found,
        if(found[1].2 > 0, arrayFilter(x -> x.2 > 0, found), arraySlice(found, 1, 1)) AS currencies
    FROM
    (
        SELECT
            account, report_date AS day, offer_id, publisher_id, country,
            max(toString(offer_name)) AS offer, max(toString(publisher_name)) AS publisher, toUInt64(0) AS n,
            tuple(toString(currency), count(), countIf(status = 'approved'), countIf(status = 'pending'), countIf(status = 'hold'), countIf(status = 'rejected'), countIf(status = 'trash'), countIf(NOT status IN ('approved', 'pending', 'hold', 'rejected', 'trash')),
                sumIf(payout, status = 'approved'), sumIf(revenue, status = 'approved'), sumIf(payout, status IN ('pending', 'hold')), sumIf(revenue, status IN ('pending', 'hold'))) AS money
        FROM `affiliate_store`.conversions FINAL
        WHERE _deleted = 0 AND is_test = 0
        GROUP BY account, day, offer_id, publisher_id, country, currency
        UNION ALL
        SELECT
            account, report_date AS day, offer_id, publisher_id, country,
            max(toString(offer_name)) AS offer, max(toString(publisher_name)) AS publisher, count() AS n,
            tuple('', toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0),
                toDecimal128(0, 10), toDecimal128(0, 10), toDecimal128(0, 10), toDecimal128(0, 10)) AS money
        FROM `affiliate_store`.clicks FINAL
        WHERE _deleted = 0 AND is_test = 0
        GROUP BY account, day, offer_id, publisher_id, country
    )
    GROUP BY account, day, offer_id, publisher_id, country
) AS cells
ARRAY JOIN currencies AS m, arrayEnumerate(currencies) AS place
LEFT ANY JOIN
(
    SELECT account, offer_id, name, currency FROM `affiliate_store`.offers FINAL WHERE _deleted = 0
) AS o ON o.account = cells.account AND o.offer_id = cells.offer_id
SETTINGS do_not_merge_across_partitions_select_final = 1, join_use_nulls = 0, aggregate_functions_null_for_empty = 0, prefer_column_name_to_alias = 0
COMMENT 'One row is how an offer did with a publisher in a country on a day, in one currency. Test traffic does not count.';

CREATE OR REPLACE VIEW `affiliate`.`freshness`
(
    `network` LowCardinality(String) COMMENT 'The network, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration.',
    `stream` LowCardinality(String) COMMENT 'The stream of the account.',
    `state` LowCardinality(String) COMMENT 'Where the stream stands, in a word or two.',
    `last_success` Nullable(DateTime64(3, 'UTC')) COMMENT 'When rows of it were last published, UTC.',
    `lag_seconds` Nullable(Int64) COMMENT 'Seconds since then.',
    `complete_to` Nullable(DateTime64(3, 'UTC')) COMMENT 'Everything before this instant has been pulled.',
    `next_run` Nullable(DateTime64(3, 'UTC')) COMMENT 'When it is due next, UTC.',
    `rows` UInt64 COMMENT 'Rows of its last publication.',
    `last_error` String COMMENT 'Its last failure in words; empty after a success.',
    `updated_at` DateTime64(3, 'UTC') COMMENT 'When the daemon last said so, UTC.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    network, account, stream, state,
    nullIf(s.last_success, toDateTime64(0, 3, 'UTC')) AS last_success,
    dateDiff('second', nullIf(s.last_success, toDateTime64(0, 3, 'UTC')), now64(3, 'UTC')) AS lag_seconds,
    nullIf(s.complete_to, toDateTime64(0, 3, 'UTC')) AS complete_to,
    nullIf(s.next_run, toDateTime64(0, 3, 'UTC')) AS next_run,
    rows, last_error, updated_at
FROM `affiliate_store`.`streams` AS s FINAL
COMMENT 'One row is a stream and how far behind it is.';

CREATE OR REPLACE VIEW `affiliate`.`lateness`
(
    `network` LowCardinality(String) COMMENT 'The network, as in the catalogue.',
    `account` LowCardinality(String) COMMENT 'The account of the configuration.',
    `offer_id` String COMMENT 'The offer\'s id.',
    `offer_name` String COMMENT 'The offer\'s name.',
    `event` LowCardinality(String) COMMENT 'What a later pull of a window did with conversions: added, changed or removed.',
    `since` String COMMENT 'What the hours count from: creation of the conversion, or its click where that is known.',
    `rows` UInt64 COMMENT 'How often that happened to a conversion.',
    `p50_hours` UInt16 COMMENT 'Half of it within so many hours, rounded up: by the hour for three days, then by the day.',
    `p90_hours` UInt16 COMMENT 'Nine in ten within so many hours.',
    `p99_hours` UInt16 COMMENT '99 in a hundred within so many hours.',
    `max_hours` UInt16 COMMENT 'All of it within so many hours.',
    `ages` Map(UInt16, UInt64) COMMENT 'Rows by hours, to be added up over offers.',
    `last_at` DateTime64(3, 'UTC') COMMENT 'When it happened last, UTC.'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS
SELECT
    a.network AS network, a.account AS account, a.offer_id AS offer_id, o.name AS offer_name, a.what AS event, a.origin AS since,
    sum(a.n) AS rows,
    quantileExactWeighted(0.5)(a.hours, a.n) AS p50_hours, quantileExactWeighted(0.9)(a.hours, a.n) AS p90_hours,
    quantileExactWeighted(0.99)(a.hours, a.n) AS p99_hours, max(a.hours) AS max_hours,
    sumMap(map(a.hours, a.n)) AS ages, max(a.last) AS last_at
FROM
(
    SELECT network, account, offer_id, line.1 AS what, line.2 AS origin, line.3 AS hours, sum(line.4) AS n, max(at) AS last
    FROM `affiliate_store`.arrivals FINAL
    ARRAY JOIN arrayConcat(
        arrayMap((e, h, r) -> (e, 'creation', h, r), event, after_creation, rows),
        arrayMap((e, h, r) -> (e, 'click', h, r), event, after_click, rows)) AS line
    WHERE hours > 0
    GROUP BY network, account, offer_id, what, origin, hours
) AS a
LEFT ANY JOIN
(
    SELECT account, offer_id, name FROM `affiliate_store`.offers FINAL WHERE _deleted = 0
) AS o ON o.account = a.account AND o.offer_id = a.offer_id
GROUP BY network, account, offer_id, offer_name, event, since
SETTINGS join_use_nulls = 0, aggregate_functions_null_for_empty = 0, prefer_column_name_to_alias = 0
COMMENT 'One row says how long after their creation or their click an offer\'s conversions were still added, changed or removed by later pulls of their windows.';
