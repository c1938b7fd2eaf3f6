package extractors_test

// The CPA networks from AdBees to LuckyOnline: what switches their streams on, so that
// their recordings are played. These answers are no recordings in truth: they were made by
// hand of what is known of each network, in the shapes that are expected where nothing is.
func init() {
	for _, name := range []string{"aff1", "affstar", "apileads", "arbitpro", "astronaff", "cpagetti", "dottpro", "lead-r", "leadtrade", "luckyonline"} {
		variables[name] = map[string]string{
			"status_url":      "https://api.example.com/lead?id={item}",
			"status_list_url": "https://api.example.com/leads?ids={items.joined}",
			"status_own_url":  "https://api.example.com/lead?own={item}",
		}
	}
	variables["adbees"] = map[string]string{"telegram_code": "tg", "affiliate": "17"}
	variables["hotpartner"] = map[string]string{
		"email": "me@example.com",
		"status_url": "http://api.example.com:81/orders?user_email={variable.email}&user_token={credential.api_key}" +
			"&order_ids[]={items}",
	}
	variables["limonad"] = map[string]string{
		"leads_path": "/leads", "offers_path": "/offers", "balance_path": "/balance", "payments_path": "/payments",
	}
}
