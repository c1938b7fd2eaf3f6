package normalize

// node is an object key of a record that is of interest, or the record itself. The
// nodes are the paths of a Spec, parted at their dots and put together.
type node struct {
	name     string
	children []*node
	index    map[string]int
	// follow predicts the next child: follow[i+1] is the one that came after child i
	// in the last record, follow[0] the one that came first.
	follow []int
	// slots are where the value goes, if anywhere.
	slots []int
	// drop keeps the value, whatever it is, out of extra.
	drop bool
}

// at gives the node at a path below n, making it if there is none.
func (n *node) at(path []string) *node {
	for _, name := range path {
		i, ok := n.index[name]
		if !ok {
			if n.index == nil {
				n.index = map[string]int{}
				n.follow = []int{0}
			}
			i = len(n.children)
			n.index[name] = i
			n.children = append(n.children, &node{name: name})
			n.follow = append(n.follow, min(i+1, len(n.children)))
		}
		n = n.children[i]
	}
	return n
}

// child gives the number of the child that is named, -1 if none is. last is the
// number of the child that came before; it is guessed that what followed it in the
// last record follows it again, so that records with their keys in the same order
// cost a comparison a key.
func (n *node) child(name []byte, last int) int {
	if len(n.children) == 0 {
		return -1
	}
	if guess := n.follow[last+1]; guess < len(n.children) && n.children[guess].name == string(name) {
		return guess
	}
	i, ok := n.index[string(name)]
	if !ok {
		return -1
	}
	n.follow[last+1] = i
	return i
}

// walk reads the object at b[at], puts the values that are asked for into their
// slots, and appends what nobody asked for to n.extra. It gives the object's end.
func (n *Normalizer) walk(b []byte, at int, tree *node, keep bool) (int, error) {
	m := enter(b, at)
	last := -1
	for {
		i, ok, err := m.next()
		if err != nil || !ok {
			return m.i, err
		}
		key := m.key
		if m.keyEscaped {
			n.keyText = unescape(n.keyText[:0], key)
			key = n.keyText
		}
		found := tree.child(key, last)
		if found < 0 {
			if m.i = skip(b, i); m.i < 0 {
				return 0, malformed(b, len(b))
			}
			if keep {
				n.leave(m.key, b[i:m.i])
			}
			continue
		}
		last = found
		child := tree.children[found]
		if m.i, err = n.take(b, i, m.key, child, keep && !child.drop); err != nil {
			return 0, err
		}
	}
}

// take reads the value at b[i], which a node asks for.
func (n *Normalizer) take(b []byte, i int, key []byte, child *node, keep bool) (int, error) {
	if len(child.slots) > 0 {
		v, end := read(b, i)
		if end < 0 {
			return 0, malformed(b, i)
		}
		v.stamp = n.stamp
		for _, s := range child.slots {
			n.values[s] = v
		}
		if len(child.children) == 0 || v.kind != object && v.kind != array {
			return end, nil
		}
		keep = false // the column has it all
	}
	switch {
	case len(child.children) > 0 && b[i] == '{':
		if !keep {
			return n.walk(b, i, child, false)
		}
		mark := len(n.extra)
		n.openExtra(key)
		open := len(n.extra)
		end, err := n.walk(b, i, child, true)
		if len(n.extra) == open {
			n.extra = n.extra[:mark]
		} else {
			n.extra = append(n.extra, '}')
		}
		return end, err
	case len(child.children) > 0 && b[i] == '[':
		if err := n.takeElements(b, i, child); err != nil {
			return 0, err
		}
	}
	v, end := read(b, i)
	if end < 0 {
		return 0, malformed(b, i)
	}
	// Where an object is expected null and PHP's empty map say nothing.
	if keep && (len(child.children) == 0 || v.kind != null && !v.isEmpty()) {
		n.leave(key, b[i:end])
	}
	return end, nil
}

// takeElements reads those elements of the array at b[i] that a node asks for by
// their position. The array itself is left to extra as a whole: single elements
// would have lost their places.
func (n *Normalizer) takeElements(b []byte, i int, tree *node) error {
	m := enter(b, i)
	for {
		i, ok, err := m.next()
		if err != nil || !ok {
			return err
		}
		n.keyText = appendInt(n.keyText[:0], m.n-1)
		found := tree.child(n.keyText, -1)
		if found < 0 {
			if m.i = skip(b, i); m.i < 0 {
				return malformed(b, len(b))
			}
			continue
		}
		if m.i, err = n.take(b, i, nil, tree.children[found], false); err != nil {
			return err
		}
	}
}

// leave appends a member to the object of extra that is open, as it stands in the
// record.
func (n *Normalizer) leave(key, raw []byte) {
	n.separate()
	n.extra = append(n.extra, '"')
	n.extra = append(n.extra, key...)
	n.extra = append(n.extra, '"', ':')
	n.extra = append(n.extra, raw...)
}

func (n *Normalizer) openExtra(key []byte) {
	n.separate()
	n.extra = append(n.extra, '"')
	n.extra = append(n.extra, key...)
	n.extra = append(n.extra, '"', ':', '{')
}

func (n *Normalizer) separate() {
	if n.extra[len(n.extra)-1] != '{' {
		n.extra = append(n.extra, ',')
	}
}
