package schema

var stats = &Table{
	Name: "stats",
	Doc:  "One row is a slice of a statistics report.",
	Columns: row([]Column{
		{Name: "report", Type: Word, Doc: "The report's name. Rows of different reports count the same traffic: never sum over reports."},
		{Name: "report_date", Type: Date, Doc: "The report day, in the account's zone."},
		{Name: "report_hour", Type: Hour, Doc: "The hour of the report day; 0 in reports by day."},
		{Name: ColumnDimensionKey, Type: String, Doc: "The dimensions as one text, name=value, sorted and parted by \\x1f: the part of the key that a Map cannot be."},
		{Name: ColumnDimensions, Type: Dimensions, Doc: "What the row is about, by dimension name."},
		{Name: "offer_id", Type: String, Doc: "The dimension offer_id, where the report has it."},
		{Name: "publisher_id", Type: String, Doc: "The dimension publisher_id, where the report has it."},
		{Name: "country", Type: Word, Doc: "The dimension country, where the report has it."},
		{Name: "sub1", Type: String, Doc: "The dimension sub1, where the report has it."},
		{Name: "currency", Type: Word, Doc: "Currency of the amounts, ISO 4217."},
		{Name: "impressions", Type: Count, Doc: "Impressions."},
		{Name: "clicks", Type: Count, Doc: "Clicks."},
		{Name: "unique_clicks", Type: Count, Doc: "Clicks of different visitors."},
		{Name: "conversions", Type: Count, Doc: "Conversions in any status."},
		{Name: "payout", Type: Decimal, Doc: "What the affiliates get for conversions in any status."},
		{Name: "revenue", Type: Decimal, Doc: "What the network gets for conversions in any status."},
		{Name: "profit", Type: Decimal, Doc: "What the network keeps of conversions in any status."},
	}, statusStats(StatusApproved, StatusPending, StatusHold, StatusRejected, StatusTrash)),
	Key:       []string{ColumnAccount, "report", "report_date", "report_hour", ColumnDimensionKey},
	Partition: "report_date",
	Money:     []string{"payout", "revenue", "approved_payout", "approved_revenue"},
}

// statusStats gives the count and the two amounts of every status.
func statusStats(statuses ...string) []Column {
	var columns []Column
	for _, s := range statuses {
		columns = append(columns,
			Column{Name: s + "_conversions", Type: Count, Doc: "Conversions with the status " + s + "."},
			Column{Name: s + "_payout", Type: Decimal, Doc: "What the affiliates get for conversions with the status " + s + "."},
			Column{Name: s + "_revenue", Type: Decimal, Doc: "What the network gets for conversions with the status " + s + "."},
		)
	}
	return columns
}
