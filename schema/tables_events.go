package schema

// The words of conversions.status. A network's own word stands beside it in
// status_raw.
const (
	StatusApproved = "approved" // accepted: the payout is owed
	StatusPending  = "pending"  // waits for a decision
	StatusHold     = "hold"     // accepted, but in its hold period
	StatusRejected = "rejected" // refused by the advertiser or the network
	StatusTrash    = "trash"    // not a real lead: test, duplicate, wrong data
	StatusUnknown  = "unknown"  // a word that the manifest does not know
)

var clicks = &Table{
	Name: "clicks",
	Doc:  "One row is a click.",
	Columns: row([]Column{
		{Name: "click_id", Type: String, Doc: "The network's id of the click."},
		{Name: "external_id", Type: String, Doc: "The id that the advertiser or the traffic source gave to the click."},
		{Name: "conversion_id", Type: String, Doc: "The conversion that came of the click, where the network says so."},
		{Name: "landing_page_id", Type: String, Doc: "The landing page that the click went to."},
		{Name: "landing_url", Type: String, Doc: "Address that the click went to."},
	}, parties, []Column{
		{Name: "status", Type: Word, Doc: "The network's verdict on the click."},
		{Name: "status_reason", Type: String, Doc: "Why the click was refused."},
		{Name: "is_unique", Type: Flag, Doc: "1 for the first click of a visitor."},
		{Name: "has_conversion", Type: Flag, Doc: "1 when a conversion came of the click."},
	}, clickMoney, []Column{
		{Name: "created_at", Type: Time, Doc: "When the click happened, UTC."},
		{Name: "report_date", Type: Date, Doc: "The report day of the click, in the account's zone."},
	}, visitor, subs),
	Key:       []string{ColumnAccount, "report_date", "click_id"},
	Partition: "report_date",
	Money:     []string{"payout", "revenue"},
}

var impressions = &Table{
	Name: "impressions",
	Doc:  "One row is an impression.",
	Columns: row([]Column{
		{Name: "impression_id", Type: String, Doc: "The network's id of the impression."},
		{Name: "external_id", Type: String, Doc: "The id that the traffic source gave to the impression."},
		{Name: "click_id", Type: String, Doc: "The click that came of the impression, where the network says so."},
		{Name: "creative_id", Type: String, Doc: "The creative that was shown."},
	}, parties, clickMoney, []Column{
		{Name: "is_unique", Type: Flag, Doc: "1 for the first impression of a visitor."},
		{Name: "created_at", Type: Time, Doc: "When the impression happened, UTC."},
		{Name: "report_date", Type: Date, Doc: "The report day of the impression, in the account's zone."},
	}, visitor, subs),
	Key:       []string{ColumnAccount, "report_date", "impression_id"},
	Partition: "report_date",
	Money:     []string{"payout", "revenue"},
}

var conversions = &Table{
	Name: "conversions",
	Doc:  "One row is a conversion, lead, order or sale.",
	Columns: row([]Column{
		{Name: "conversion_id", Type: String, Doc: "The network's id of the conversion."},
		{Name: "click_id", Type: String, Doc: "The click that it came of."},
		{Name: "external_id", Type: String, Doc: "The advertiser's own id of the order or lead."},
		{Name: "event_id", Type: String, Doc: "Id of the goal or event that was reached."},
		{Name: "event_name", Type: Word, Doc: "Name of the goal or event that was reached."},
	}, parties, []Column{
		{Name: "status", Type: Word, Doc: "approved, pending, hold, rejected, trash or unknown.",
			Words: []string{StatusApproved, StatusPending, StatusHold, StatusRejected, StatusTrash, StatusUnknown}},
		{Name: "status_raw", Type: Word, Doc: "The status in the network's own word."},
		{Name: "status_reason", Type: String, Doc: "Why the conversion was refused, or another comment on its status."},
		{Name: "payout", Type: Decimal, Doc: "What the affiliate gets."},
		{Name: "revenue", Type: Decimal, Doc: "What the network gets from the advertiser."},
		{Name: "profit", Type: Decimal, Doc: "What the network keeps."},
		{Name: "sale_amount", Type: Decimal, Doc: "The value of the order."},
		{Name: "currency", Type: Word, Doc: "Currency of the amounts, ISO 4217."},
		{Name: "payout_type", Type: Word, Doc: "How the payout is reckoned: fixed, percent."},
		{Name: "payment_status", Type: Word, Doc: "Whether the payout has been paid, in the network's word."},
		{Name: "created_at", Type: Time, Doc: "When the conversion happened, UTC."},
		{Name: "click_at", Type: Time, Doc: "When the click happened, UTC."},
		{Name: "updated_at", Type: Time, Doc: "When the network last changed it, UTC."},
		{Name: "hold_until", Type: Time, Doc: "When the hold period ends, UTC."},
		{Name: "report_date", Type: Date, Doc: "The report day of the conversion, in the account's zone."},
	}, visitor, subs),
	Key:       []string{ColumnAccount, "report_date", "conversion_id"},
	Partition: "report_date",
	Money:     []string{"payout", "revenue", "profit", "sale_amount"},
}

// parties says whose traffic an event is and for what.
var parties = []Column{
	{Name: "offer_id", Type: String, Doc: "The offer's id."},
	{Name: "offer_name", Type: Word, Doc: "The offer's name when the event was read."},
	{Name: "publisher_id", Type: String, Doc: "The affiliate's id."},
	{Name: "publisher_name", Type: Word, Doc: "The affiliate's name when the event was read."},
	{Name: "advertiser_id", Type: String, Doc: "The advertiser's id."},
	{Name: "advertiser_name", Type: Word, Doc: "The advertiser's name when the event was read."},
}

// clickMoney is what an event costs and earns where it is paid for by itself.
var clickMoney = []Column{
	{Name: "payout", Type: Decimal, Doc: "What the affiliate gets for it."},
	{Name: "revenue", Type: Decimal, Doc: "What the network gets for it."},
	{Name: "currency", Type: Word, Doc: "Currency of the amounts, ISO 4217."},
}

// visitor is the context that clicks, impressions and conversions share.
var visitor = []Column{
	{Name: "country", Type: Word, Doc: "Country of the visitor, ISO 3166 alpha-2."},
	{Name: "region", Type: Word, Doc: "Region of the visitor."},
	{Name: "city", Type: Word, Doc: "City of the visitor."},
	{Name: "ip", Type: String, Doc: "Address of the visitor; hashed or empty where the configuration says so."},
	{Name: "isp", Type: Word, Doc: "Internet provider or carrier of the visitor."},
	{Name: "connection_type", Type: Word, Doc: "Kind of connection: wi-fi, cellular."},
	{Name: "device_type", Type: Word, Doc: "desktop, mobile, tablet and so on."},
	{Name: "device_brand", Type: Word, Doc: "Maker of the device."},
	{Name: "device_model", Type: Word, Doc: "Model of the device."},
	{Name: "os", Type: Word, Doc: "Operating system."},
	{Name: "os_version", Type: Word, Doc: "Version of the operating system."},
	{Name: "browser", Type: Word, Doc: "Browser."},
	{Name: "browser_version", Type: Word, Doc: "Version of the browser."},
	{Name: "user_agent", Type: String, Doc: "The browser's User-Agent."},
	{Name: "referer", Type: String, Doc: "Address of the page that the visitor came from."},
}

// subs are the affiliate's own parameters.
var subs = []Column{
	{Name: "sub1", Type: String, Doc: "The affiliate's parameter 1."},
	{Name: "sub2", Type: String, Doc: "The affiliate's parameter 2."},
	{Name: "sub3", Type: String, Doc: "The affiliate's parameter 3."},
	{Name: "sub4", Type: String, Doc: "The affiliate's parameter 4."},
	{Name: "sub5", Type: String, Doc: "The affiliate's parameter 5."},
	{Name: "sub6", Type: String, Doc: "The affiliate's parameter 6."},
	{Name: "sub7", Type: String, Doc: "The affiliate's parameter 7."},
	{Name: "sub8", Type: String, Doc: "The affiliate's parameter 8."},
	{Name: "is_test", Type: Flag, Doc: "1 for test traffic."},
}
