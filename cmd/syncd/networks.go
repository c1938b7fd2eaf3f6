package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"syncd/extractors/manifest"
	"syncd/internal/strictyaml"
)

func newNetworksCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "networks [NAME]",
		Short: "The catalogue: what every network gives and needs",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			known, err := loadCatalogue()
			if err != nil {
				return err
			}
			var entries []networkEntry
			for _, name := range sortedKeys(known) {
				if len(args) == 0 || args[0] == name {
					entries = append(entries, entryOf(known[name]))
				}
			}
			if len(entries) == 0 {
				hint := "syncd knows " + strings.Join(sortedKeys(known), ", ")
				if s := strictyaml.Suggest(args[0], sortedKeys(known)); s != "" {
					hint = "did you mean " + s + "?"
				}
				return &usageError{fmt.Errorf("no network is called %s; %s", args[0], hint)}
			}
			switch {
			case asJSON:
				out := json.NewEncoder(cmd.OutOrStdout())
				out.SetIndent("", "  ")
				return out.Encode(entries)
			case len(args) == 0:
				printNetworks(cmd.OutOrStdout(), entries)
			default:
				printNetwork(cmd.OutOrStdout(), entries[0])
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

// networkEntry is a network as the catalogue shows it.
type networkEntry struct {
	Name        string         `json:"network"`
	Title       string         `json:"title"`
	Docs        string         `json:"docs"`
	Evidence    string         `json:"evidence"`
	BaseURL     string         `json:"base_url,omitempty"`
	Roles       []string       `json:"roles,omitempty"`
	MinDelay    string         `json:"min_delay"`
	Parallel    int            `json:"parallel"`
	Credentials []settingEntry `json:"credentials"`
	Variables   []settingEntry `json:"variables,omitempty"`
	Streams     []streamEntry  `json:"streams"`
}

type settingEntry struct {
	Name     string `json:"name"`
	Help     string `json:"help"`
	Default  string `json:"default,omitempty"`
	Required bool   `json:"required"`
	Evidence string `json:"evidence,omitempty"`
}

type streamEntry struct {
	Name     string   `json:"stream"`
	Doc      string   `json:"doc"`
	Roles    []string `json:"roles,omitempty"`
	Tables   []string `json:"tables"`
	Window   string   `json:"window,omitempty"`
	MaxAge   string   `json:"max_age,omitempty"`
	Changes  bool     `json:"changes"`
	ForEach  string   `json:"for_each,omitempty"`
	Schedule string   `json:"schedule"`
	Restate  []string `json:"restate,omitempty"`
	Default  bool     `json:"enabled_by_default"`
	Needs    []string `json:"needs,omitempty"`
	Evidence string   `json:"evidence"`
}

func entryOf(n *manifest.Network) networkEntry {
	e := networkEntry{
		Name: n.Name, Title: n.Title, Docs: n.Docs, Evidence: string(n.Evidence), BaseURL: n.BaseURL, Roles: n.Roles,
		MinDelay: n.Pace.MinDelay.String(), Parallel: max(n.Pace.Parallel, 1),
	}
	for _, name := range sortedKeys(n.Credentials) {
		c := n.Credentials[name]
		e.Credentials = append(e.Credentials, settingEntry{Name: name, Help: c.Help, Required: !c.Optional})
	}
	for _, name := range sortedKeys(n.Variables) {
		v := n.Variables[name]
		e.Variables = append(e.Variables, settingEntry{Name: name, Help: v.Help, Default: v.Default, Required: v.Required, Evidence: string(v.Evidence)})
	}
	for _, s := range n.Streams {
		e.Streams = append(e.Streams, streamEntryOf(n, s))
	}
	return e
}

func streamEntryOf(n *manifest.Network, s *manifest.Stream) streamEntry {
	e := streamEntry{
		Name: s.Name, Doc: s.Doc, Roles: s.Roles, Changes: s.Changes != nil, Schedule: s.Schedule,
		Default: !s.Disabled && len(s.Needs) == 0, Needs: s.Needs, Evidence: string(cmp.Or(s.Evidence, n.Evidence)),
	}
	for _, out := range s.Outputs() {
		if !slices.Contains(e.Tables, out.Table) {
			e.Tables = append(e.Tables, out.Table)
		}
	}
	if s.Window != nil {
		e.Window = string(s.Window.Step)
		if s.Window.MaxAge > 0 {
			e.MaxAge = strictyaml.FormatDuration(s.Window.MaxAge)
		}
	}
	if s.ForEach != nil {
		e.ForEach = cmp.Or(s.ForEach.Stream, s.ForEach.Variable, strings.Join(s.ForEach.Values, ","))
	}
	for _, t := range s.Restate {
		e.Restate = append(e.Restate, tierText(t.Last, t.Every))
	}
	return e
}

func tierText(last, every time.Duration) string {
	return "last " + strictyaml.FormatDuration(last) + " every " + strictyaml.FormatDuration(every)
}

func printNetworks(out io.Writer, entries []networkEntry) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "NETWORK\tNAME\tSTREAMS\tCREDENTIALS\tROLES\tPACE\tEVIDENCE")
	for _, e := range entries {
		var credentials []string
		for _, c := range e.Credentials {
			credentials = append(credentials, c.Name)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\n", e.Name, e.Title, len(e.Streams),
			strings.Join(credentials, " "), strings.Join(e.Roles, " "), e.pace(), e.Evidence)
	}
}

func (e networkEntry) pace() string {
	return fmt.Sprintf("%s between calls, %d at once", e.MinDelay, e.Parallel)
}

func printNetwork(out io.Writer, e networkEntry) {
	fmt.Fprintf(out, "%s (network: %s), %s\n%s\n", e.Title, e.Name, e.Evidence, e.Docs)
	fmt.Fprintf(out, "pace: %s\n", e.pace())
	if e.BaseURL == "" {
		fmt.Fprintln(out, "base_url: must be set, every customer has a host of its own")
	} else {
		fmt.Fprintf(out, "base_url: %s\n", e.BaseURL)
	}
	if len(e.Roles) > 0 {
		fmt.Fprintf(out, "role: %s\n", strings.Join(e.Roles, " or "))
	}
	printSettings(out, "credentials", e.Credentials)
	printSettings(out, "variables", e.Variables)
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "STREAM\tROLES\tTABLES\tWINDOW\tSCHEDULE\tRESTATED\tEVIDENCE\tWHAT")
	for _, s := range e.Streams {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, strings.Join(s.Roles, " "), strings.Join(s.Tables, " "),
			s.windowText(), s.Schedule, strings.Join(s.Restate, ", "), s.Evidence, s.note())
	}
}

func (s streamEntry) windowText() string {
	text := cmp.Or(s.Window, "all at once")
	if s.MaxAge != "" {
		text += ", " + s.MaxAge + " back at most"
	}
	if s.Changes {
		text += " + changes"
	}
	return text
}

func (s streamEntry) note() string {
	text := s.Doc
	switch {
	case len(s.Needs) > 0:
		text += " (off without variables " + strings.Join(s.Needs, ", ") + ")"
	case !s.Default:
		text += " (off by default)"
	}
	return text
}

func printSettings(out io.Writer, title string, settings []settingEntry) {
	if len(settings) == 0 {
		return
	}
	fmt.Fprintf(out, "%s:\n", title)
	for _, s := range settings {
		note := ""
		switch {
		case s.Required:
			note = " (required)"
		case s.Default != "":
			note = " (default " + s.Default + ")"
		}
		if s.Evidence == string(manifest.Inferred) {
			note += " (inferred: no public document says so)"
		}
		fmt.Fprintf(out, "  %s: %s%s\n", s.Name, s.Help, note)
	}
}
