package postback

import (
	"strings"

	"syncd/schema"
)

// recognised are the words that mean the same wherever they are not said to mean
// something else, as AlterCPA's receiver recognises them. Numbers and letters are not
// among them, nor are words that networks disagree about (valid, expect, returned).
var recognised = func() map[string]string {
	words := map[string]string{}
	for status, list := range map[string]string{
		schema.StatusApproved: "approve approved accept accepted confirm confirmed sale sold success successful complete completed paid payed",
		schema.StatusRejected: "cancel canceled cancelled decline declined reject rejected refuse refused deny denied fail failed abort aborted",
		schema.StatusTrash:    "trash trashed fake spam double duplicate duplicated fraud invalid incorrect test",
		schema.StatusHold:     "hold holded held on_hold onhold",
		schema.StatusPending:  "new wait waiting pending lead create created in_processing processing in_process process in_progress progress call_back callback recall",
	} {
		for word := range strings.FieldsSeq(list) {
			words[word] = status
		}
	}
	return words
}()

// fold makes words equal that differ in case and in how their parts are joined:
// "In processing", "in-processing" and "in_processing".
func fold(word string) string {
	word = strings.ToLower(strings.TrimSpace(word))
	if !strings.ContainsAny(word, " -") {
		return word
	}
	return strings.NewReplacer(" ", "_", "-", "_").Replace(word)
}

// folded gives a map of words with its keys folded.
func folded(words map[string]string) map[string]string {
	all := make(map[string]string, len(words))
	for word, status := range words {
		all[fold(word)] = status
	}
	return all
}

// ownWords are the fields with the tail's own words for a status, in the order in which
// they are asked.
var ownWords = [...]struct {
	field  field
	status string
}{
	{fieldApproved, schema.StatusApproved},
	{fieldRejected, schema.StatusRejected},
	{fieldTrash, schema.StatusTrash},
	{fieldPending, schema.StatusPending},
	{fieldHold, schema.StatusHold},
}

// statusOf says what a status word means: by the tail's own words, by the account's, by
// the network's and in general; schema.StatusUnknown if none of them knows it.
func (a *Account) statusOf(text *[fields]string) string {
	word := fold(text[fieldStatus])
	for _, own := range ownWords {
		if listed(text[own.field], word) {
			return own.status
		}
	}
	for _, words := range [...]map[string]string{a.statuses, a.networkStatuses, recognised} {
		if status, ok := words[word]; ok {
			return status
		}
	}
	return schema.StatusUnknown
}

// listed reports whether a folded word is in a list with commas.
func listed(list, word string) bool {
	if list == "" {
		return false
	}
	for one := range strings.SplitSeq(list, ",") {
		if fold(one) == word {
			return true
		}
	}
	return false
}
