package performcbsim

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// report is one XML call being answered.
type report struct {
	n       *Network
	sw      Switches
	account Account
	get     string
	query   url.Values
	b       bytes.Buffer

	from, to    int // report days, both included
	start, size int // rows; a size of 0 is all
	filter      filter
}

const namespaces = ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"`

// answer writes the root and the verdict around what fill adds.
func (r *report) answer(success string, fill func()) []byte {
	root := r.get + "_response"
	r.b.WriteString("<" + root + namespaces + ">")
	r.leaf("success", success)
	fill()
	r.b.WriteString("</" + root + ">")
	return r.b.Bytes()
}

func (r *report) refuse(words string) []byte {
	return r.answer("false", func() { r.leaf("message", words) })
}

// leaf writes an element with text; one without is closed where it opens.
func (r *report) leaf(tag, text string) { r.pair(tag, tag, text) }

func (r *report) pair(open, end, text string) {
	if text == "" {
		r.b.WriteString("<" + open + "/>")
		return
	}
	r.b.WriteString("<" + open + ">")
	_ = xml.EscapeText(&r.b, []byte(text)) // a buffer takes everything
	r.b.WriteString("</" + end + ">")
}

// read reads the parameters of both reports.
func (r *report) read() error {
	for name, into := range map[string]*int{"from_date": &r.from, "to_date": &r.to} {
		day, err := parseDay(r.query.Get(name))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		*into = day
	}
	if r.to < r.from {
		return fmt.Errorf("to_date is before from_date")
	}
	for name, into := range map[string]*int{"start_row": &r.start, "limit": &r.size, "offer_id": &r.filter.offer, "campaign_id": &r.filter.campaign} {
		text := r.query.Get(name)
		if text == "" || r.get == "conversions" && name == "campaign_id" {
			continue
		}
		v, err := strconv.Atoi(text)
		if err != nil || v < 0 {
			return fmt.Errorf("%s must be a number", name)
		}
		*into = v
	}
	return nil
}

// parseDay reads a date in the two forms that are documented, as a day number.
func parseDay(text string) (int, error) {
	for _, layout := range []string{"01-02-2006", "01/02/2006"} {
		if t, err := time.Parse(layout, text); err == nil {
			return int(t.Unix() / 86400), nil
		}
	}
	return 0, fmt.Errorf("%q is not MM/DD/YYYY or MM-DD-YYYY", text)
}

// page cuts rows by start_row and limit.
func page[T any](r *report, rows []T) []T {
	rows = rows[min(r.start, len(rows)):]
	if r.size > 0 {
		rows = rows[:min(r.size, len(rows))]
	}
	return rows
}

func (r *report) conversions(now time.Time) (body []byte, rows int) {
	if err := r.read(); err != nil {
		return r.refuse(err.Error()), 0
	}
	var all []Conversion
	var sum int64
	r.n.mu.Lock()
	for number := max(r.from, r.n.dayOf(r.n.opt.From)); number <= min(r.to, r.n.dayOf(now)); number++ {
		for _, c := range r.n.conversions(r.account, r.n.dayAt(number), now) {
			if r.filter.has(c.OfferID, c.CampaignID) {
				all = append(all, c)
				sum += c.milli
			}
		}
	}
	r.n.mu.Unlock()
	all = page(r, all)
	return r.answer(cmp.Or(r.sw.Success, "1"), func() {
		r.leaf("number_of_rows", strconv.Itoa(len(all)))
		r.b.WriteString("<summary>")
		r.leaf("revenue", decimal(sum))
		r.b.WriteString("</summary>")
		if len(all) == 0 {
			if !r.sw.NoList {
				r.b.WriteString("<conversions/>")
			}
			return
		}
		r.b.WriteString("<conversions>")
		for _, c := range all {
			r.conversion(c)
		}
		r.b.WriteString("</conversions>")
	}), len(all)
}

func (r *report) conversion(c Conversion) {
	r.b.WriteString("<conversion>")
	r.leaf("conversion_id", c.ID)
	r.leaf("date", c.Date)
	r.leaf("offer_id", strconv.Itoa(c.OfferID))
	r.leaf("offer_name", c.OfferName)
	r.leaf("ip_address", c.IP)
	r.leaf("revenue", c.Revenue)
	switch campaign := strconv.Itoa(c.CampaignID); cmp.Or(r.sw.CampaignTag, TagCampaignID) {
	case TagCampaignID:
		r.leaf("campaign_id", campaign)
	case TagCampaign:
		r.leaf("campaign", campaign)
	case TagMismatched:
		r.pair("campaign", "campaign_id", campaign)
	}
	for i, sub := range c.SubIDs {
		r.leaf(fmt.Sprintf("subid_%d", i+1), sub)
	}
	r.leaf("disposition", c.Disposition)
	r.leaf("currency_symbol", c.Symbol)
	r.b.WriteString("</conversion>")
}

func (r *report) subaffiliate(now time.Time) (body []byte, rows int) {
	if err := r.read(); err != nil {
		return r.refuse(err.Error()), 0
	}
	r.n.mu.Lock()
	all := r.n.subIDs(r.account, r.from, r.to, r.filter, now)
	r.n.mu.Unlock()
	total := SubID{Symbol: "$"}
	for _, row := range all {
		total.Clicks += row.Clicks
		total.Conversions += row.Conversions
		total.milli += row.milli
	}
	total.reckon()
	all = page(r, all)
	return r.answer(cmp.Or(r.sw.Success, "true"), func() {
		r.leaf("number_of_rows", strconv.Itoa(len(all)))
		r.b.WriteString("<subid_reports>")
		if len(all) > 0 {
			r.b.WriteString("<subid_report>")
			for _, row := range all {
				r.b.WriteString("<subid_report>")
				if row.SubID == "" {
					r.b.WriteString("<sub_id/>")
				} else {
					r.leaf("sub_id", row.SubID)
				}
				r.figures(row)
				r.b.WriteString("</subid_report>")
			}
			r.b.WriteString("</subid_report>")
		} else if !r.sw.NoList {
			r.b.WriteString("<subid_report/>")
		}
		r.b.WriteString("<total>")
		r.figures(total)
		r.b.WriteString("</total></subid_reports>")
	}), len(all)
}

func (r *report) figures(s SubID) {
	r.leaf("clicks", strconv.Itoa(s.Clicks))
	r.leaf("conversions", strconv.Itoa(s.Conversions))
	r.leaf("conversion_rate", s.Rate)
	r.leaf("revenue", s.Revenue)
	r.leaf("epc", s.EPC)
	r.leaf("currency", s.Symbol)
}
