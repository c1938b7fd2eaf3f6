package main

import "encoding/json"

// The reference of normalization: answers as structs, the way a Go program is
// first written. Amounts are json.Number, for text is what keeps them exact.

type conversionsAnswer struct {
	Conversions []conversion `json:"conversions"`
	pagination
}

func (a conversionsAnswer) records() int { return len(a.Conversions) }

type clicksAnswer struct {
	Clicks []click `json:"clicks"`
	pagination
}

func (a clicksAnswer) records() int { return len(a.Clicks) }

type pagination struct {
	Status     int `json:"status"`
	Pagination struct {
		Page       int `json:"page"`
		PerPage    int `json:"per_page"`
		TotalCount int `json:"total_count"`
		NextPage   int `json:"next_page"`
	} `json:"pagination"`
}

type manager struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

type partner struct {
	ID        int     `json:"id"`
	Title     string  `json:"title"`
	Email     string  `json:"email"`
	Login     string  `json:"login"`
	Name      string  `json:"name"`
	Manager   manager `json:"manager"`
	ManagerID string  `json:"manager_id"`
}

type offer struct {
	ID         int             `json:"id"`
	Title      string          `json:"title"`
	OfferID    string          `json:"offer_id"`
	URL        string          `json:"url"`
	ExternalID json.RawMessage `json:"external_id"`
}

type subs struct {
	Sub1 string `json:"sub1"`
	Sub2 string `json:"sub2"`
	Sub3 string `json:"sub3"`
	Sub4 string `json:"sub4"`
	Sub5 string `json:"sub5"`
	Sub6 string `json:"sub6"`
	Sub7 string `json:"sub7"`
	Sub8 string `json:"sub8"`
}

type visitor struct {
	Referrer    string `json:"referrer"`
	IP          string `json:"ip"`
	Country     string `json:"country"`
	CountryName string `json:"country_name"`
	City        string `json:"city"`
	CityID      int    `json:"city_id"`
	ISPCode     string `json:"isp_code"`
	UA          string `json:"ua"`
	Browser     string `json:"browser"`
	OS          string `json:"os"`
	Device      string `json:"device"`
	DeviceType  string `json:"device_type"`
}

type conversion struct {
	ID            string      `json:"id"`
	ConversionID  string      `json:"conversion_id"`
	ActionID      string      `json:"action_id"`
	ClickID       string      `json:"clickid"`
	CBID          string      `json:"cbid"`
	Status        string      `json:"status"`
	Partner       partner     `json:"partner"`
	PartnerID     int         `json:"partner_id"`
	SupplierID    string      `json:"supplier_id"`
	GoalValue     string      `json:"goal_value"`
	Goal          string      `json:"goal"`
	Sum           json.Number `json:"sum"`
	Revenue       json.Number `json:"revenue"`
	Payouts       json.Number `json:"payouts"`
	Earnings      json.Number `json:"earnings"`
	Currency      string      `json:"currency"`
	Advertiser    manager     `json:"advertiser"`
	Offer         offer       `json:"offer"`
	OfferID       int         `json:"offer_id"`
	PaymentType   string      `json:"payment_type"`
	PaymentStatus string      `json:"payment_status"`
	IsPaid        string      `json:"is_paid"`
	CustomField1  string      `json:"custom_field_1"`
	CustomField2  string      `json:"custom_field_2"`
	CustomField3  string      `json:"custom_field_3"`
	CustomField4  string      `json:"custom_field_4"`
	CustomField5  string      `json:"custom_field_5"`
	CustomField6  string      `json:"custom_field_6"`
	CustomField7  string      `json:"custom_field_7"`
	Comment       string      `json:"comment"`
	CreatedAt     string      `json:"created_at"`
	ClickTime     string      `json:"click_time"`
	LandingID     int         `json:"landing_id"`
	PrelandingID  int         `json:"prelanding_id"`
	RefID         string      `json:"ref_id"`
	District      *string     `json:"district"`
	HoldDate      *string     `json:"hold_date_expire"`
	visitor
	subs
}

type landing struct {
	ID    int    `json:"id"`
	URL   string `json:"url"`
	Title string `json:"title"`
}

type click struct {
	ID              string  `json:"id"`
	ClickID         string  `json:"click_id"`
	CBID            string  `json:"cbid"`
	ConversionID    string  `json:"conversion_id"`
	HasConversions  bool    `json:"has_conversions"`
	Offer           offer   `json:"offer"`
	Landing         landing `json:"landing"`
	Prelanding      landing `json:"prelanding"`
	CreatedAt       string  `json:"created_at"`
	Unique          bool    `json:"uniq"`
	PartnerID       int     `json:"partner_id"`
	Partner         partner `json:"partner"`
	SupplierManager string  `json:"supplier_manager_id"`
	DeviceFull      string  `json:"device_fullname"`
	DeviceModel     string  `json:"device_model"`
	OSVersion       string  `json:"os_version"`
	OSFull          string  `json:"os_fullname"`
	BrowserVersion  string  `json:"browser_version"`
	BrowserFull     string  `json:"browser_fullname"`
	ConnectionType  string  `json:"connection_type"`
	ISP             int     `json:"isp"`
	SmartID         string  `json:"smart_id"`
	RefID           string  `json:"ref_id"`
	OSID            string  `json:"os_id"`
	UserID          string  `json:"user_id"`
	Ext1            string  `json:"ext1"`
	Ext2            string  `json:"ext2"`
	Ext3            string  `json:"ext3"`
	UNID            string  `json:"unid"`
	IDFA            string  `json:"idfa"`
	RegionID        int     `json:"region_id"`
	RegionName      string  `json:"region_name"`
	visitor
	subs
}
