package cpasim

import (
	"net/http"
	"strconv"
	"strings"
)

// kmaWords are KMA's letters. It knows no hold.
var kmaWords = map[Status]string{Waiting: "P", Held: "P", Approved: "A", Rejected: "D", Trash: "F"}

// kmaReads are the methods that only read.
var kmaReads = map[string]bool{"auth": true, "getstatuses": true, "getoffers": true, "getcategories": true, "getlandings": true, "getlayers": true, "getnews": true}

// The numbers of KMA's errors are not published but for the duplicate of a push, 13:
// these are of the simulator.
const (
	kmaNoMethod = 1
	kmaNoAuth   = 2
	kmaBadIDs   = 3
	kmaTooMany  = 429
)

func kmaRefusal(status, code int, message string) *refusal {
	return &refusal{status, message, object{{"code", code}, {"msg", message}}}
}

// kma answers for ids that one knows. The one budget of the simulated networks that is
// documented is enforced here, and errors count against it.
func (r *request) kma() (any, *refusal) {
	r.call.What = r.query.Get("method")
	if r.call.Path != "/" || r.call.Method != http.MethodGet || !kmaReads[r.call.What] {
		r.call.Unsafe = true
		return nil, kmaRefusal(http.StatusOK, kmaNoMethod, "unknown method")
	}
	if r.call.Over {
		return nil, kmaRefusal(http.StatusTooManyRequests, kmaTooMany, "more than 100 requests a minute")
	}
	if r.call.What == "auth" { // the older generation
		if r.query.Get("pass") != r.n.opt.Key {
			return nil, kmaRefusal(http.StatusOK, kmaNoAuth, "auth failed")
		}
		return object{{"code", 0}, {"msg", ""}, {"authid", strconv.Itoa(r.n.opt.User)}, {"authhash", r.kmaHash()}}, nil
	}
	byToken := r.query.Get("token") == r.n.opt.Key
	byHash := r.query.Get("authid") == strconv.Itoa(r.n.opt.User) && r.query.Get("authhash") == r.kmaHash()
	if !byToken && !byHash {
		return nil, kmaRefusal(http.StatusOK, kmaNoAuth, "auth failed")
	}
	switch r.call.What {
	case "getstatuses":
		return r.kmaStatuses()
	case "getoffers":
		rows := []object{}
		for _, o := range r.n.offers {
			rows = append(rows, object{{"id", strconv.Itoa(o.ID)}, {"name", o.Name}, {"logo", "https://kma.example.test/" + strconv.Itoa(o.ID) + ".png"},
				{"description", "<b>" + o.Name + "</b>"}, {"codes", []string{o.Country}}})
		}
		r.call.Records = len(rows)
		return object{{"code", 0}, {"msg", ""}, {"offers", rows}}, nil
	}
	// Lists whose answers nobody has shown are named after their methods, as that of the offers is.
	rows := []object{{{"id", "1"}, {"name", "Health"}}, {{"id", "2"}, {"name", "Beauty"}}}
	r.call.Records = len(rows)
	return object{{"code", 0}, {"msg", ""}, {r.call.What[len("get"):], rows}}, nil
}

func (r *request) kmaHash() string { return "hash-of-" + r.n.opt.Key }

// kmaStatuses leaves out what it does not know.
func (r *request) kmaStatuses() (any, *refusal) {
	r.call.IDs = split(r.query.Get("ids"))
	if len(r.call.IDs) == 0 || len(r.call.IDs) > r.n.opt.Batch {
		return nil, kmaRefusal(http.StatusOK, kmaBadIDs, "ids: from 1 to "+strconv.Itoa(r.n.opt.Batch)+" are taken")
	}
	rows := []object{}
	for _, id := range r.call.IDs {
		if l, ok := r.n.find(false, id); ok {
			rows = append(rows, object{{"id", strconv.Itoa(l.ID)}, {"status", kmaWords[l.Status]}})
		}
	}
	r.call.Records = len(rows)
	return object{{"code", 0}, {"msg", ""}, {"statuses", rows}}, nil
}

// split gives the parts of a comma-separated list.
func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}
