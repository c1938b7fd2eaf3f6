package extractors_test

// The CPA networks from M1 Shop to WhoCPA, and AlterCPA: what switches their streams on, so
// that their recordings are played. These answers are no recordings in truth: they were
// made by hand of what is known of each network, in the shapes that are expected where
// nothing is.
func init() {
	for _, name := range []string{"money4leads", "omnicpa", "pladomarket", "reklpro", "starway", "tamcrm"} {
		variables[name] = map[string]string{
			"status_url":      "https://api.example.com/lead?key={credential.api_key}&id={item}",
			"status_list_url": "https://api.example.com/leads?key={credential.api_key}&ids={items.joined}",
			"status_own_url":  "https://api.example.com/lead/{item}",
		}
	}
	variables["m1shop"] = map[string]string{"user": "17"}
	variables["terraleads"] = map[string]string{"user": "17"}
	variables["offersify"] = map[string]string{"currency": "EUR"}
	variables["trafficlight"] = map[string]string{"currency": "RUB"}
	variables["whocpa"] = map[string]string{"currency": "USD"}
	variables["altercpa"] = map[string]string{"currency": "RUB"}
}
