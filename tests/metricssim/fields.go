package metricssim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// fieldKind is how a field is typed in JSON.
type fieldKind byte

const (
	text   fieldKind = 'S'
	number fieldKind = 'N' // also the flags 0 and 1
	list   fieldKind = 'A'
	moment fieldKind = 'T'
	date   fieldKind = 'D'
)

type field struct {
	name string
	kind fieldKind
}

// The fields of the records, as the contract groups them.
const (
	commonFields = `S integration_id integration_type organization_id tx_id real_tx_id uuid fingerprint filter_group_id real_filter_group_id targeting_group_id manager_id manager_name
S advertiser advertiser_db_id real_advertiser offer_id offer_db_id real_offer_id publisher publisher_db_id real_publisher
S sub_id sub_id_2 sub_id_3 sub_id_4 sub_id_5 sub_id_6 invalid_sub_id
S click_ip ip_network isp proxy_type server_region
N asn rtt lat long payout revenue score is_bot is_old_browser is_old_os
S country city postal_code
S device_id device_type os_name os_version browser_name browser_version browser_timezone user_agent user_email
A browser_language referer_categories rejections tags extra_params.keys extra_params.values
S referer status risk rejection_type rejected_advanced_reason rejected_internal_reason rejected_language rejected_simple_reason
T request_time
`
	clickOrImpression = `S advertiser_id bundle_id rejected_primary_reason
N blocked monitoring_mode
D request_date
`
	clickOrConversion = `S coupon_code external_transaction_id offer offer_group_id smart_link_id smartlink_db_id
`
	clickOnly = `S final_offer final_offer_id
N preview_url_enabled rtb_url_used
`
	conversionOnly = `S advertiser_name publisher_name offer_id_name network app_id app_version click_tx_id conversion_ip server_ip event_24metrics event_db_id event_name hash
S real_rejected_advanced_reason real_rejected_simple_reason third_party_rejection_reason third_party_status
N event_id purchase_value session_time event_status rejected is_click_spam is_low_session_time
T begin_install_time finish_install_time click_time conversion_time
`
	impressionOnly = `S site_url
A site_url_categories
`
	postbackFields = `T time
N success
S postback_name postback_type offer_id publisher_id event_id tx_id
N response_code
S url error server_response
`
)

// fields of a type's records, by name.
var fields = map[string][]field{
	Clicks:      parseFields(commonFields + clickOrImpression + clickOrConversion + clickOnly),
	Conversions: parseFields(commonFields + clickOrConversion + conversionOnly),
	Impressions: parseFields(commonFields + clickOrImpression + impressionOnly),
	Postbacks:   parseFields(postbackFields),
}

// FieldNames are the names that an export of a type takes.
func FieldNames(kind string) []string {
	var out []string
	for _, f := range fields[kind] {
		out = append(out, f.name)
	}
	return out
}

func parseFields(groups string) []field {
	var out []field
	for line := range strings.Lines(groups) {
		words := strings.Fields(line)
		for _, name := range words[1:] {
			out = append(out, field{name, fieldKind(words[0][0])})
		}
	}
	slices.SortFunc(out, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return out
}

func findField(kind, name string) (field, bool) {
	i, ok := slices.BinarySearchFunc(fields[kind], name, func(f field, n string) int { return strings.Compare(f.name, n) })
	if !ok {
		return field{}, false
	}
	return fields[kind][i], true
}

func itoa(i int) string { return strconv.Itoa(i) }

func flag(v bool) string {
	if v {
		return "1"
	}
	return "0"
}

// Text is a field's value as text; "" of a field that is unset, "0" of a number.
func (r *Row) Text(name string) string {
	if r.Kind == Postbacks {
		return r.postback(name)
	}
	switch name {
	case "integration_id":
		return r.Integration
	case "integration_type":
		return "direct"
	case "organization_id":
		return organisation
	case "tx_id":
		return r.TxID
	case "real_tx_id":
		return r.RealTxID
	case "uuid":
		return r.UUID
	case "advertiser", "real_advertiser", "advertiser_id":
		return itoa(r.Advertiser.IncrementalID)
	case "advertiser_db_id":
		return r.Advertiser.ID
	case "advertiser_name":
		return r.Advertiser.Name
	case "offer", "offer_id", "real_offer_id", "final_offer_id":
		return itoa(r.Offer.IncrementalID)
	case "offer_id_name", "final_offer":
		return r.Offer.NameWithID
	case "offer_db_id":
		return r.Offer.ID
	case "publisher", "real_publisher":
		return itoa(r.Publisher.IncrementalID)
	case "publisher_db_id":
		return r.Publisher.ID
	case "publisher_name":
		return r.Publisher.Name
	case "manager_id":
		return r.Publisher.ManagerID
	case "manager_name":
		return r.Publisher.ManagerName
	case "sub_id":
		return r.SubID
	case "click_ip", "conversion_ip":
		return r.IP
	case "server_ip":
		return "192.0.2.7"
	case "isp":
		return "Example, Telecom"
	case "asn":
		return "64500"
	case "rtt":
		return itoa(int(r.hash % 300))
	case "score":
		return itoa(int(r.hash % 100))
	case "lat":
		return "30.2672"
	case "long":
		return "-97.7431"
	case "payout":
		return r.Payout.String()
	case "revenue":
		return r.Revenue.String()
	case "purchase_value":
		return r.PurchaseValue.String()
	case "country":
		return r.Country
	case "city":
		return r.City
	case "device_type":
		return "mobile"
	case "os_name":
		return "iOS"
	case "os_version":
		return "19.1"
	case "browser_name":
		return "Chrome"
	case "browser_version":
		return "126.0"
	case "user_agent":
		return r.UserAgent
	case "referer":
		return "https://news.example.org/a?b=1,2"
	case "risk":
		return "low"
	case "status":
		if r.o.LowerStatus {
			return strings.ToLower(r.Status)
		}
		return r.Status
	case "rejected_simple_reason", "rejected_primary_reason":
		return strings.Join(r.Rejections[:min(len(r.Rejections), 1)], "")
	case "third_party_rejection_reason":
		return r.ThirdPartyReason
	case "third_party_status":
		if r.ThirdPartyReason != "" {
			return "rejected"
		}
	case "rejected", "blocked":
		return flag(r.Status == "Rejected")
	case "click_tx_id":
		return r.ClickTxID
	case "hash":
		return r.Hash
	case "event_id":
		return itoa(r.EventNumber)
	case "event_db_id":
		if r.Event != nil {
			return r.Event.ID
		}
	case "event_name":
		if r.Event != nil {
			return r.Event.Name
		}
	case "event_status":
		return flag(r.EventNumber > 0)
	case "session_time":
		return itoa(int(r.Time.Sub(r.ClickTime) / time.Second))
	case "external_transaction_id":
		return "aff-" + r.Hash
	case "site_url":
		return "https://site.example.org/"
	case "request_date":
		return r.Time.Format(time.DateOnly)
	}
	if f, ok := findField(r.Kind, name); ok && f.kind == number {
		return "0"
	}
	return ""
}

func (r *Row) postback(name string) string {
	ok := r.hash%5 != 0
	switch name {
	case "success":
		return flag(ok)
	case "postback_name":
		return "main; all"
	case "postback_type":
		if r.EventNumber > 0 {
			return "event"
		}
		return "conversion"
	case "offer_id":
		return itoa(r.Offer.IncrementalID)
	case "publisher_id":
		return itoa(r.Publisher.IncrementalID)
	case "event_id":
		if r.EventNumber > 0 {
			return itoa(r.EventNumber)
		}
	case "tx_id":
		return r.RealTxID
	case "response_code":
		if ok {
			return "200"
		}
		return "503"
	case "url":
		return "https://pub.example.org/pb?tx=" + r.RealTxID + "&p=" + r.Payout.String()
	case "error":
		if !ok {
			return "server said \"busy\",\nthen closed"
		}
	case "server_response":
		return "OK, \"" + r.Hash + "\"\r\n; done"
	}
	return ""
}

// List is an array field's value.
func (r *Row) List(name string) []string {
	switch name {
	case "rejections":
		return r.Rejections
	case "browser_language":
		return []string{"en-US", "it's"}
	case "extra_params.keys", "extra_params.values":
		out := []string{}
		for _, p := range r.Extra {
			out = append(out, p[strings.Count(name, "values")])
		}
		return out
	}
	return nil
}

// Moment is a time field's value, zero if it is unset.
func (r *Row) Moment(name string) time.Time {
	switch name {
	case "conversion_time", "time":
		return r.Time
	case "request_time":
		if r.Kind == Conversions {
			return r.Time.Add(time.Second)
		}
		return r.Time
	case "click_time":
		return r.ClickTime
	}
	return time.Time{}
}

const organisation = "org1"
