package affisesim

// The places, devices and providers of the generated traffic.

type city struct {
	id     int
	name   string
	region int
	area   string
}

type country struct {
	code, name string
	cities     []city
}

var countries = []country{
	{"US", "United States", []city{{158, "Fresno", 689, "California"}, {159, "Austin", 690, "Texas"}, {160, "Boise", 691, "Idaho"}}},
	{"DE", "Germany", []city{{201, "Berlin", 710, "Land Berlin"}, {202, "München", 711, "Bayern"}}},
	{"GB", "United Kingdom", []city{{221, "Leeds", 720, "England"}}},
	{"FR", "France", []city{{231, "Orléans", 730, "Centre-Val de Loire"}}},
	{"BR", "Brazil", []city{{241, "São Paulo", 740, "São Paulo"}, {242, "Recife", 741, "Pernambuco"}}},
	{"IN", "India", []city{{251, "Pune", 750, "Maharashtra"}}},
	{"RU", "Russian Federation", []city{{261, "Казань", 760, "Татарстан"}}},
	{"PL", "Poland", []city{{271, "Łódź", 770, "Łódzkie"}}},
	{"TR", "Turkey", []city{{281, "İzmir", 780, "İzmir"}}},
	{"MX", "Mexico", []city{{291, "Puebla", 790, "Puebla"}}},
	{"ID", "Indonesia", []city{{0, "Undefined", 0, ""}}},
	{"", "", []city{{0, "Undefined", 0, ""}}},
}

type device struct {
	brand, model, kind, os, osVersion, browser, browserVersion, ua string
}

var devices = []device{
	{"Samsung", "Galaxy S9", "mobile", "Android", "10.0", "Chrome Mobile", "80", "Mozilla/5.0 (Linux; Android 10; SM-G960F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0.3987.149 Mobile Safari/537.36"},
	{"Samsung", "Galaxy A51", "mobile", "Android", "11.0", "Samsung Internet", "14", "Mozilla/5.0 (Linux; Android 11; SAMSUNG SM-A515F) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/14.0 Chrome/87.0.4280.141 Mobile Safari/537.36"},
	{"Apple", "iPhone 7 Plus|iPhone 8", "mobile", "iOS", "14.2", "Mobile Safari", "14", "Mozilla/5.0 (iPhone; CPU iPhone OS 14_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.0.1 Mobile/15E148 Safari/604.1"},
	{"Apple", "iPad", "tablet", "iOS", "13.4", "Mobile Safari", "13", "Mozilla/5.0 (iPad; CPU OS 13_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1 Mobile/15E148 Safari/604.1"},
	{"Other", "", "desktop", "Windows", "10", "Chrome", "86", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/86.0.4240.198 Safari/537.36"},
	{"Other", "", "desktop", "Windows", "7", "Firefox", "82", "Mozilla/5.0 (Windows NT 6.1; Win64; x64; rv:82.0) Gecko/20100101 Firefox/82.0"},
	{"Apple", "Mac", "desktop", "Mac OS X", "10.15", "Safari", "14", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.0 Safari/605.1.15"},
	{"Xiaomi", "Redmi Note 8", "mobile", "Android", "9.0", "Chrome Mobile", "85", "Mozilla/5.0 (Linux; Android 9; Redmi Note 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/85.0.4183.127 Mobile Safari/537.36"},
	{"Huawei", "MediaPad T5", "tablet", "Android", "8.0", "Chrome", "84", "Mozilla/5.0 (Linux; Android 8.0.0; AGS2-W09) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/84.0.4147.125 Safari/537.36"},
	{"Unknown", "", "desktop", "Unknown", "Unknown", "Unknown", "Unknown", ""},
}

var isps = []string{"T-Mobile", "Vodafone", "Comcast Cable", "Deutsche Telekom", "Türk Telekom", "-", "?"}

var connectionTypes = []string{"wi-fi", "cellular", "other"}

var trafficbackReasons = []string{"unknown-affiliate", "invalid-affiliate", "cap-reached"}

// attrs are what a click carries along; a conversion has those of its click.
type attrs struct {
	country, city, device, isp, conn int
	goal                             int // index into the offer's goals
	ip                               uint32
	v6                               bool
	sub                              uint64
}

func attrsOf(h uint64) attrs {
	d := draw(h)
	a := attrs{country: d.skewed(len(countries))}
	a.city = d.below(len(countries[a.country].cities))
	a.device = d.skewed(len(devices))
	a.isp = d.skewed(len(isps))
	a.conn = d.skewed(len(connectionTypes))
	a.goal = d.below(4) / 3
	x := d.next()
	a.ip, a.v6 = uint32(x), x>>32%8 == 0
	a.sub = d.next()
	return a
}

// subs are the values of sub1..sub8. sub4 has what breaks careless readers:
// quotes, a backslash, a control character, letters of several scripts.
func (a attrs) subs() (s [8]string) {
	s[0] = "feed-" + itoa(int(a.sub%12))
	if a.sub>>8%3 == 0 {
		s[1] = "src/" + itoa(int(a.sub>>10%50))
	}
	if a.sub>>16%4 == 0 {
		s[2] = hex16(a.sub)
	}
	switch a.sub >> 20 % 32 {
	case 0:
		s[3] = `кампания "осень" \ 50%`
	case 1:
		s[3] = "tab\there, 🚀 & <b>"
	}
	if a.sub>>26%2 == 0 {
		s[4] = "camp-" + itoa(int(a.sub>>28%200))
	}
	if a.sub>>36%64 == 0 {
		s[7] = "eight"
	}
	return s
}

func hex16(x uint64) string {
	var b [16]byte
	for i := range b {
		b[i] = hexDigits[x>>(60-4*i)&15]
	}
	return string(b[:])
}

func (a attrs) appendIP(b []byte) []byte {
	if a.v6 {
		b = append(b, "2001:db8:"...)
		for i, part := range []uint32{a.ip >> 16, a.ip & 0xffff} {
			if i > 0 {
				b = append(b, ':')
			}
			b = appendHexWord(b, uint16(part))
		}
		return append(b, "::1"...)
	}
	b = append(b, "198.18."...) // the range set aside for benchmarks
	b = append(b, itoa(int(a.ip>>8&255))...)
	b = append(b, '.')
	return append(b, itoa(int(a.ip&255))...)
}

func appendHexWord(b []byte, u uint16) []byte {
	started := false
	for shift := 12; shift >= 0; shift -= 4 {
		c := u >> shift & 15
		if c != 0 || started || shift == 0 {
			b = append(b, hexDigits[c])
			started = true
		}
	}
	return b
}
