package main

import "strings"

// The ways in which ClickHouse reads the file by itself. Both fill the columns that
// syncd fills, out of the same ones, and put the rest into the JSON of extra, in the
// cheapest way that is right for any file: a map is dearer. Empty members stay in it
// and lists are left as text; rows are not checked, there is no quarantine and nothing
// is compared or counted. The names of runs and versions are constants.

// castsQuery reads text and casts it in the SELECT, which is faster than to have the
// format's reader make the columns' types.
var castsQuery = exportQuery(func(string) string { return "String" }, map[string]string{
	"payout": "toDecimal128(payout, 10)", "revenue": "toDecimal128(revenue, 10)",
	"created_at":  "toDateTime64(request_time, 3, 'UTC')",
	"report_date": "toDate(substring(request_time, 1, 10))",
})

// typedQuery is how such a statement is first written: columns have their types in
// the structure already.
var typedQuery = exportQuery(func(column string) string {
	switch column {
	case "payout", "revenue":
		return "Decimal(38, 10)"
	case "request_time":
		return "DateTime64(3, \\'UTC\\')"
	case "status", "country", "city", "isp", "device_type", "os_name", "os_version", "browser_name", "browser_version":
		return "LowCardinality(String)"
	}
	return "String"
}, map[string]string{"payout": "payout", "revenue": "revenue", "created_at": "request_time", "report_date": "toDate(request_time)"})

func exportQuery(kind func(column string) string, own map[string]string) string {
	var structure []string
	for _, c := range exportColumns {
		structure = append(structure, "`"+c+"` "+kind(c))
	}
	var extra []string
	for _, c := range []string{"advertiser_db_id", "asn", "browser_language", "fingerprint", "integration_id", "publisher_db_id", "rejections", "risk", "score", "uuid"} {
		extra = append(extra, `',"`+c+`":', toJSONString(`+c+")")
	}
	extra[0] = strings.Replace(extra[0], "',", "'{", 1)
	columns := [][2]string{
		{"network", "'24metrics'"}, {"account", "'" + account + "'"},
		{"click_id", "real_tx_id"}, {"external_id", "external_transaction_id"},
		{"offer_id", "if(offer_db_id = '', offer_id, offer_db_id)"}, {"publisher_id", "publisher"}, {"advertiser_id", "advertiser"},
		{"status", "lower(status)"}, {"status_reason", "rejected_primary_reason"},
		{"payout", own["payout"]}, {"revenue", own["revenue"]}, {"created_at", own["created_at"]}, {"report_date", own["report_date"]},
		{"country", "upper(country)"}, {"city", "city"}, {"ip", "click_ip"}, {"isp", "isp"}, {"device_type", "device_type"},
		{"os", "os_name"}, {"os_version", "os_version"}, {"browser", "browser_name"}, {"browser_version", "browser_version"},
		{"user_agent", "user_agent"}, {"referer", "referer"}, {"sub1", "sub_id"}, {"sub2", "sub_id_2"}, {"sub3", "sub_id_3"},
		{"extra", "concat(" + strings.Join(extra, ", ") + ", '}')"},
		{"_window", "toDateTime(today() - 10, 'UTC')"}, {"_version", "2"}, {"_synced_at", "now64(3, 'UTC')"}, {"_run_id", "'bench'"},
	}
	var names, values []string
	for _, c := range columns {
		names, values = append(names, c[0]), append(values, c[1])
	}
	return "INSERT INTO {table} (" + strings.Join(names, ", ") + ")\nSELECT " + strings.Join(values, ", ") +
		"\nFROM url('{url}', 'CSVWithNames', '" + strings.Join(structure, ", ") + "')\nSETTINGS optimize_on_insert = 0"
}
