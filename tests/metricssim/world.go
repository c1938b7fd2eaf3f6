package metricssim

import (
	"fmt"
	"strings"
	"time"
)

// world is what does not happen but is: people and offers.
type world struct {
	users       []User
	advertisers []Advertiser
	publishers  []Publisher
	offers      []Offer
	events      map[string][]OfferEvent  // by offer id
	pages       map[string][]LandingPage // by offer id
}

// User is an entity of the API, in its names; so are the others.
type User struct {
	ID                     string  `json:"id"`
	Email                  string  `json:"email"`
	FirstName              string  `json:"first_name"`
	LastName               string  `json:"last_name"`
	Phone                  string  `json:"phone"`
	City                   string  `json:"city"`
	Country                string  `json:"country"`
	Timezone               string  `json:"timezone"`
	Role                   string  `json:"role"`
	Status                 string  `json:"status"`
	PublisherManagerAccess string  `json:"publisher_manager_access"`
	APIAccessEnabled       bool    `json:"api_access_enabled"`
	IsAdvertiserManager    bool    `json:"is_advertiser_manager"`
	IsPublisherManager     bool    `json:"is_publisher_manager"`
	CreatedAt              string  `json:"created_at"`
	UpdatedAt              string  `json:"updated_at"`
	LastLoginAt            *string `json:"last_login_at"`
}

// Company is what publishers and advertisers have in common.
type Company struct {
	ID            string `json:"id"`
	IncrementalID int    `json:"incremental_id"`
	Name          string `json:"name"`
	NameWithID    string `json:"name_with_id"`
	CompanyName   string `json:"company_name"`
	FirstName     string `json:"first_name"`
	LastName      string `json:"last_name"`
	Email         string `json:"email"`
	Phone         string `json:"phone"`
	Messenger     string `json:"messenger"`
	Address       string `json:"address"`
	Country       string `json:"country"`
	Website       string `json:"website"`
	Description   string `json:"description"`
	ManagerID     string `json:"manager_id"`
	ManagerName   string `json:"manager_name"`
	ManagerEmail  string `json:"manager_email"`
	Active        bool   `json:"active"`
	Archived      bool   `json:"archived"`
	CreatedAt     string `json:"created_at"`
	UpdatedAt     string `json:"updated_at"`
}

// Advertiser pays.
type Advertiser struct{ Company }

// Publisher is paid.
type Publisher struct {
	Company
	City              string   `json:"city"`
	Timezone          string   `json:"timezone"`
	Countries         []string `json:"countries"`
	PromotionalMethod []string `json:"promotional_method"`
	TrackingDomainIDs []string `json:"tracking_domain_ids"`
	Pending           bool     `json:"pending"`
}

// Payout says what is paid for what.
type Payout struct {
	Payout         Amount `json:"payout"`
	PayoutPercent  Amount `json:"payout_percent"`
	PayoutType     string `json:"payout_type"`
	Revenue        Amount `json:"revenue"`
	RevenuePercent Amount `json:"revenue_percent"`
	RevenueType    string `json:"revenue_type"`
}

// Offer belongs to an integration.
type Offer struct {
	Integration                  string `json:"-"`
	ID                           string `json:"id"`
	IncrementalID                int    `json:"incremental_id"`
	AdvertiserID                 int    `json:"advertiser_id"` // the advertiser's incremental id
	Name                         string `json:"name"`
	NameWithID                   string `json:"name_with_id"`
	Description                  string `json:"description"`
	ConversionName               string `json:"conversion_name"`
	Currency                     string `json:"currency"`
	Visibility                   string `json:"visibility"`
	Active                       bool   `json:"active"`
	Archived                     bool   `json:"archived"`
	AllowDuplicateConversions    bool   `json:"allow_duplicate_conversions"`
	BlockOnReject                bool   `json:"block_on_reject"`
	DeepLinkEnabled              bool   `json:"deep_link_enabled"`
	HideJSTracking               bool   `json:"hide_js_tracking"`
	ImpressionForwardingEnabled  bool   `json:"impression_forwarding_enabled"`
	ImpressionForwardingURL      string `json:"impression_forwarding_url"`
	ManuallyApproveConversions   bool   `json:"manually_approve_conversions"`
	OfferPreviewEnabled          bool   `json:"offer_preview_enabled"`
	ParallelTrackingEnabled      bool   `json:"parallel_tracking_enabled"`
	ParallelTrackingURL          string `json:"parallel_tracking_url"`
	PrimaryDomain                string `json:"primary_domain"`
	FallbackURL                  string `json:"fallback_url"`
	RestrictionNote              string `json:"restriction_note"`
	TargetingGroupID             string `json:"targeting_group_id"`
	TargetingSimpleEnabled       bool   `json:"targeting_simple_enabled"`
	TermsAndConditions           string `json:"terms_and_conditions"`
	TermsAndConditionsEnabled    bool   `json:"terms_and_conditions_enabled"`
	ViewThroughAttributionEnable bool   `json:"view_through_attribution_enabled"`
	DefaultPayout                Payout `json:"default_payout"`
	CreatedAt                    string `json:"created_at"`
	UpdatedAt                    string `json:"updated_at"`
	advertiser                   int    // its place
}

// OfferEvent is a step after an offer's conversion. It has no times.
type OfferEvent struct {
	ID                    string `json:"id"`
	Name                  string `json:"name"`
	Description           string `json:"description"`
	Currency              string `json:"currency"`
	Active                bool   `json:"active"`
	Archived              bool   `json:"archived"`
	AllowMultipleEvents   bool   `json:"allow_multiple_events"`
	ManuallyApproveEvents bool   `json:"manually_approve_events"`
	Payout
}

// LandingPage of an offer. It has no times.
type LandingPage struct {
	ID                 string `json:"id"`
	Name               string `json:"name"`
	PreviewURL         string `json:"preview_url"`
	RedirectURL        string `json:"redirect_url"`
	Active             bool   `json:"active"`
	Archived           bool   `json:"archived"`
	HideFromPublishers bool   `json:"hide_from_publishers"`
}

var (
	firstNames = []string{"Jane", "Ömer", "Mei", "Carlos", "Анна"}
	lastNames  = []string{"Roe", "Yılmaz", "Lin", "O'Neil", "Petrova"}
	brands     = []string{"Harbor", "Tidal", "Cedar & Sons", "Łódź", `"Quoted"`, "Northwind"}
	things     = []string{"Coffee iOS", "VPN", "Loans; Fast", "Casino", "Games", "学習アプリ"}
	countries  = []string{"US", "DE", "JP", "BR", "ID"}
	currencies = []string{"USD", "EUR", "USD", "JPY", "USD", "IDR"}
	promotions = []string{"Content", "Email", "Search", "Social", "Display", "Native", "Push", "SMS", "Other"}
)

func newWorld(o *Options) world {
	w := world{events: map[string][]OfferEvent{}, pages: map[string][]LandingPage{}}
	stamp := func(d *draw) string {
		return o.From.Add(-time.Duration(1+d.below(300*86400)) * time.Second).Format(time.RFC3339)
	}
	for i := range o.Users {
		d := draw(of(o.Seed, 'u', uint64(i)))
		u := User{ID: fmt.Sprintf("u%d", i+1), Email: fmt.Sprintf("user%d@example.com", i+1), FirstName: pick(&d, firstNames), LastName: pick(&d, lastNames),
			Phone: fmt.Sprintf("+1555010%02d", i), City: "Austin", Country: pick(&d, countries), Timezone: "America/Chicago", Role: "accountManager", Status: "Active",
			PublisherManagerAccess: "Limited", IsPublisherManager: true, CreatedAt: stamp(&d), UpdatedAt: stamp(&d)}
		if i == 0 {
			login := stamp(&d)
			u.Role, u.PublisherManagerAccess, u.APIAccessEnabled, u.LastLoginAt = "admin", "Global", true, &login
		}
		w.users = append(w.users, u)
	}
	company := func(kind uint64, i int) Company {
		d := draw(of(o.Seed, kind, uint64(i)))
		m := pick(&d, w.users)
		name := fmt.Sprintf("%s %s", pick(&d, brands), pick(&d, lastNames))
		return Company{ID: hexID(of(o.Seed, kind, uint64(i))), IncrementalID: i + 1, Name: name, NameWithID: fmt.Sprintf("%s [%d]", name, i+1), CompanyName: name + " Inc",
			FirstName: pick(&d, firstNames), LastName: pick(&d, lastNames), Email: fmt.Sprintf("%c%d@example.net", rune(kind), i+1), Address: "1 Main St\nSuite 2",
			Country: pick(&d, countries), Website: "https://example.net/", ManagerID: m.ID, ManagerName: m.FirstName + " " + m.LastName, ManagerEmail: m.Email,
			Active: i%5 != 4, Archived: i%7 == 6, CreatedAt: stamp(&d), UpdatedAt: stamp(&d)}
	}
	for i := range o.Advertisers {
		w.advertisers = append(w.advertisers, Advertiser{company('a', i)})
	}
	for i := range o.Publishers {
		w.publishers = append(w.publishers, Publisher{Company: company('p', i), City: "Berlin", Timezone: "Europe/Berlin", Countries: countries[:1+i%3],
			PromotionalMethod: promotions[:i%4], TrackingDomainIDs: []string{}, Pending: i%6 == 5})
	}
	for i := range o.Offers {
		w.addOffer(o, i, stamp)
	}
	return w
}

func (w *world) addOffer(o *Options, i int, stamp func(*draw) string) {
	h := of(o.Seed, 'o', uint64(i))
	d := draw(h)
	a := d.below(len(w.advertisers))
	name := fmt.Sprintf("%s %s", pick(&d, brands), pick(&d, things))
	f := Offer{Integration: o.Integrations[i%len(o.Integrations)], ID: hexID(h), IncrementalID: i + 1, AdvertiserID: w.advertisers[a].IncrementalID, advertiser: a,
		Name: name, NameWithID: fmt.Sprintf("%s [%d]", name, i+1), ConversionName: "Install", Currency: currencies[i%len(currencies)],
		Visibility: []string{"Public", "Private", "Requires_Approval"}[i%3], Active: i%4 != 3, Archived: i%6 == 5, AllowDuplicateConversions: true, BlockOnReject: true,
		OfferPreviewEnabled: true, PrimaryDomain: "trk.example.net", TargetingSimpleEnabled: true, CreatedAt: stamp(&d), UpdatedAt: stamp(&d)}
	f.DefaultPayout = Payout{PayoutType: "CPA", RevenueType: "RPA"}
	f.DefaultPayout.Payout, f.DefaultPayout.Revenue = price(&d, f.Currency)
	w.offers = append(w.offers, f)
	for k := range i % 4 {
		e := OfferEvent{ID: hexID(of(h, 'e', uint64(k))), Name: []string{"purchase", "deposit, first", "signup"}[k], Currency: f.Currency, Active: true, Archived: k == 2,
			AllowMultipleEvents: k == 0, Payout: Payout{PayoutType: "CPS", RevenueType: "RPS", PayoutPercent: 125_000, RevenuePercent: 150_000}}
		e.Payout.Payout, e.Revenue = price(&d, f.Currency)
		w.events[f.ID] = append(w.events[f.ID], e)
	}
	for k := range (i + 1) % 3 {
		id := hexID(of(h, 'l', uint64(k)))
		w.pages[f.ID] = append(w.pages[f.ID], LandingPage{ID: id, Name: fmt.Sprintf("Page %d", k+1), PreviewURL: "https://lp.example.net/" + id,
			RedirectURL: "https://lp.example.net/go?x={tx_id}&n=" + strings.Repeat("a", k), Active: true, HideFromPublishers: k == 1})
	}
}
