package manifest

// checkLeads checks streams whose records are facts about leads, and those that ask for
// open leads.
func (c *checker) checkLeads(report reporter, s located) {
	open := s.ForEach != nil && s.ForEach.OpenLeads != ""
	if s.Settled < 0 || s.Settled > 0 && !open {
		report("settled", "settled is for streams for each of open leads, and not below zero")
	}
	if open {
		switch {
		case !s.Leads:
			report("for_each.open_leads", "stream %s asks for open leads and says nothing of leads: leads: true is missing", s.Name)
		case s.Window != nil:
			report("window", "open leads are asked for by their ids and have no window")
		case s.Changes != nil:
			report("changes", "open leads are asked for by their ids, whatever changed")
		case s.Export != nil:
			report("export", "open leads are asked for by their ids, and an export is of a range of time")
		}
	}
	if !s.Leads {
		return
	}
	if s.Output.Table != "conversions" {
		report("leads", "leads are rows of conversions, not of %q", s.Output.Table)
		return
	}
	if s.Export != nil {
		report("export", "facts about leads come in pages, not in files")
	}
}
