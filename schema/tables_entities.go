package schema

var offers = &Table{
	Name: "offers",
	Doc:  "One row is an offer.",
	Columns: row([]Column{
		{Name: "offer_id", Type: String, Doc: "The offer's id, as conversions and clicks carry it."},
		{Name: "network_offer_id", Type: String, Doc: "Another id that the network gives to the offer."},
		{Name: "external_id", Type: String, Doc: "The advertiser's own id of the offer."},
		{Name: "integration_id", Type: Word, Doc: "The part of the account that the offer lives in, where a network has such parts."},
		{Name: "name", Type: String, Doc: "The offer's name."},
		{Name: "status", Type: Word, Doc: "active, paused, stopped and so on."},
		{Name: "status_raw", Type: Word, Doc: "The status in the network's own word."},
		{Name: "advertiser_id", Type: String, Doc: "The advertiser's id."},
		{Name: "advertiser_name", Type: Word, Doc: "The advertiser's name."},
		{Name: "description", Type: String, Doc: "Description, as the network formats it."},
		{Name: "preview_url", Type: String, Doc: "Where people may look at what is offered."},
		{Name: "tracking_url", Type: String, Doc: "The link that traffic is sent to."},
		{Name: "destination_url", Type: String, Doc: "The advertiser's address behind the tracking link."},
		{Name: "logo_url", Type: String, Doc: "The offer's picture."},
		{Name: "currency", Type: Word, Doc: "Currency of the amounts, ISO 4217."},
		{Name: "payout", Type: Decimal, Doc: "What the affiliate gets for the default event."},
		{Name: "payout_type", Type: Word, Doc: "How the payout is reckoned: fixed, percent and so on."},
		{Name: "revenue", Type: Decimal, Doc: "What the network gets for the default event."},
		{Name: "countries", Type: String, Doc: "Countries where the offer runs."},
		{Name: "categories", Type: String, Doc: "The offer's categories."},
		{Name: "tags", Type: String, Doc: "The offer's tags."},
		{Name: "privacy", Type: Word, Doc: "Who may see the offer, in the network's word."},
		{Name: "is_private", Type: Flag, Doc: "1 when only chosen affiliates may run it."},
		{Name: "is_top", Type: Flag, Doc: "1 when the network recommends it."},
		{Name: "requires_approval", Type: Flag, Doc: "1 when affiliates must ask before they run it."},
		{Name: "hold_days", Type: Count, Doc: "Length of the hold period in days."},
		{Name: "conversion_rate", Type: Decimal, Doc: "Conversion rate that the network shows, percent."},
		{Name: "epc", Type: Decimal, Doc: "Earnings per click that the network shows."},
		{Name: "caps", Type: String, Doc: "The offer's limits, as the network's JSON."},
		{Name: "targeting", Type: String, Doc: "Whom the offer is for, as the network's JSON."},
		{Name: "starts_at", Type: Time, Doc: "When the offer starts, UTC."},
		{Name: "ends_at", Type: Time, Doc: "When the offer stops, UTC."},
		{Name: "created_at", Type: Time, Doc: "When the offer was made, UTC."},
		{Name: "updated_at", Type: Time, Doc: "When the network last changed it, UTC."},
	}),
	Key:   []string{ColumnAccount, "offer_id"},
	Money: []string{"payout", "revenue"},
}

var offerEvents = &Table{
	Name: "offer_events",
	Doc:  "One row is a goal or event of an offer with what it pays.",
	Columns: row([]Column{
		{Name: "offer_id", Type: String, Doc: "The offer's id."},
		{Name: "event_id", Type: String, Doc: "Id of the goal or event, or of one rate of it where several are paid."},
		{Name: "name", Type: String, Doc: "Name of the goal or event."},
		{Name: "goal", Type: Word, Doc: "The goal's number or code as conversions carry it in event_id."},
		{Name: "status", Type: Word, Doc: "Status in the network's word."},
		{Name: "payout", Type: Decimal, Doc: "What the affiliate gets for it."},
		{Name: "payout_type", Type: Word, Doc: "How the payout is reckoned: fixed, percent and so on."},
		{Name: "revenue", Type: Decimal, Doc: "What the network gets for it."},
		{Name: "currency", Type: Word, Doc: "Currency of the amounts, ISO 4217."},
		{Name: "countries", Type: String, Doc: "Countries that the rate holds for; empty for all."},
		{Name: "devices", Type: String, Doc: "Devices that the rate holds for; empty for all."},
		{Name: "os", Type: String, Doc: "Operating systems that the rate holds for; empty for all."},
		{Name: "publishers", Type: String, Doc: "Affiliates that the rate holds for; empty for all."},
		{Name: "created_at", Type: Time, Doc: "When it was made, UTC."},
		{Name: "updated_at", Type: Time, Doc: "When the network last changed it, UTC."},
	}),
	Key:   []string{ColumnAccount, "offer_id", "event_id"},
	Money: []string{"payout", "revenue"},
}

var landingPages = &Table{
	Name: "landing_pages",
	Doc:  "One row is a landing page of an offer.",
	Columns: row([]Column{
		{Name: "landing_page_id", Type: String, Doc: "The landing page's id."},
		{Name: "offer_id", Type: String, Doc: "The offer's id."},
		{Name: "name", Type: String, Doc: "The landing page's name."},
		{Name: "status", Type: Word, Doc: "Status in the network's word."},
		{Name: "kind", Type: Word, Doc: "landing, prelanding and so on."},
		{Name: "url", Type: String, Doc: "Its address."},
		{Name: "preview_url", Type: String, Doc: "Where people may look at it."},
		{Name: "created_at", Type: Time, Doc: "When it was made, UTC."},
		{Name: "updated_at", Type: Time, Doc: "When the network last changed it, UTC."},
	}),
	Key: []string{ColumnAccount, "landing_page_id"},
}

var publishers = &Table{
	Name:    "publishers",
	Doc:     "One row is an affiliate.",
	Columns: row(person("publisher_id", "affiliate")),
	Key:     []string{ColumnAccount, "publisher_id"},
}

var advertisers = &Table{
	Name:    "advertisers",
	Doc:     "One row is an advertiser.",
	Columns: row(person("advertiser_id", "advertiser")),
	Key:     []string{ColumnAccount, "advertiser_id"},
}

var users = &Table{
	Name:    "users",
	Doc:     "One row is a user or manager at the network.",
	Columns: row(person("user_id", "user")),
	Key:     []string{ColumnAccount, "user_id"},
}

// person gives the columns that affiliates, advertisers and users share.
func person(id, who string) []Column {
	return []Column{
		{Name: id, Type: String, Doc: "The " + who + "'s id."},
		{Name: "name", Type: String, Doc: "The " + who + "'s name."},
		{Name: "login", Type: String, Doc: "The name the " + who + " logs in with."},
		{Name: "email", Type: String, Doc: "The " + who + "'s e-mail address; hashed or empty where the configuration says so."},
		{Name: "status", Type: Word, Doc: "active, inactive, banned and so on."},
		{Name: "status_raw", Type: Word, Doc: "The status in the network's own word."},
		{Name: "roles", Type: String, Doc: "The " + who + "'s roles."},
		{Name: "company", Type: String, Doc: "The " + who + "'s company."},
		{Name: "url", Type: String, Doc: "The " + who + "'s site."},
		{Name: "country", Type: Word, Doc: "The " + who + "'s country."},
		{Name: "manager_id", Type: String, Doc: "Id of the user who looks after the " + who + "."},
		{Name: "referrer_id", Type: String, Doc: "Id of the affiliate who brought the " + who + "."},
		{Name: "tags", Type: String, Doc: "The " + who + "'s tags."},
		{Name: "notes", Type: String, Doc: "The network's notes on the " + who + "."},
		{Name: "offers", Type: Count, Doc: "How many offers the " + who + " has."},
		{Name: "created_at", Type: Time, Doc: "When the " + who + " was registered, UTC."},
		{Name: "updated_at", Type: Time, Doc: "When the network last changed it, UTC."},
	}
}

var entities = &Table{
	Name: "entities",
	Doc:  "One row is anything else that a network's read API gives: a cap, balance, invoice, piece of news, ticket, currency.",
	Columns: row([]Column{
		{Name: "stream", Type: Word, Doc: "The stream that the row belongs to; it says what kind of thing the row is."},
		{Name: "id", Type: String, Doc: "The thing's id within its stream."},
		{Name: "parent_id", Type: String, Doc: "Id of the thing that it belongs to."},
		{Name: "offer_id", Type: String, Doc: "The offer that it belongs to."},
		{Name: "publisher_id", Type: String, Doc: "The affiliate that it belongs to."},
		{Name: "advertiser_id", Type: String, Doc: "The advertiser that it belongs to."},
		{Name: "kind", Type: Word, Doc: "Its kind, in the network's word."},
		{Name: "name", Type: String, Doc: "Its name, title or subject."},
		{Name: "status", Type: Word, Doc: "Status in the network's word."},
		{Name: "description", Type: String, Doc: "Its text."},
		{Name: "url", Type: String, Doc: "Its address."},
		{Name: "amount", Type: Decimal, Doc: "Its amount, limit, rate or balance."},
		{Name: "used_amount", Type: Decimal, Doc: "How much of the amount is used up, held or not available."},
		{Name: "currency", Type: Word, Doc: "Currency of the amounts, ISO 4217."},
		{Name: "valid_from", Type: Time, Doc: "When it begins to hold, UTC."},
		{Name: "valid_to", Type: Time, Doc: "When it ceases to hold, UTC."},
		{Name: "created_at", Type: Time, Doc: "When it was made, UTC."},
		{Name: "updated_at", Type: Time, Doc: "When the network last changed it, UTC."},
	}),
	Key:   []string{ColumnAccount, "stream", "id"},
	Money: []string{"amount"},
}
