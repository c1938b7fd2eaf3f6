package strictyaml

import "strings"

// wholeWord is the length from which one word at the beginning of another is no chance.
const wholeWord = 4

// Suggest gives the known word that word was most likely meant to be, or "" if
// none is close. Swapped letters count as one mistake; case, hyphens and
// underscores as none.
func Suggest(word string, known []string) string {
	folded := fold(word)
	best, bestDistance := "", 0
	for _, k := range known {
		target := fold(k)
		shorter := min(len(folded), len(target))
		limit := max(1, shorter/3)
		d := distance(folded, target)
		if shorter >= wholeWord && (strings.HasPrefix(folded, target) || strings.HasPrefix(target, folded)) {
			limit = shorter // warning for warn, hash for hashed
		}
		if d > limit || d >= max(len(folded), len(target)) {
			continue
		}
		if best == "" || d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// distance is the number of insertions, deletions, replacements and swaps of
// neighbours that turn a into b. Words longer than any key are as far as can be.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return max(len(a), len(b))
	}
	// Three rows of the usual table: the swap looks two rows back.
	var before, above, row [longest + 1]int
	for j := range len(b) + 1 {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}
