SELECT DISTINCT concat(toString(`offer_id`)) AS v FROM `affiliate_store`.`offers` FINAL WHERE `account` = 'main' AND toString(`status`) = 'active' AND toString(`offer_id`) != '' AND `_deleted` = 0 ORDER BY v
SETTINGS do_not_merge_across_partitions_select_final = 1;
