package config

import "strconv"

// description is what an editor is told about a key beyond its type.
type description struct {
	text string
	// value is the default as it would be written; "" where there is none or it depends.
	value string
	words []string
	// pattern is a regular expression for the whole text.
	pattern string
	// minimum and maximum bound a number; nil for no bound.
	minimum, maximum *int
	required         bool
}

// describe lists every key by its path; [] stands for an item, * for a key of the
// user's choice. A test holds that no key is missing and that the defaults are true.
func describe() map[string]description {
	return map[string]description{
		"": {text: "The configuration of syncd."},

		"warehouse":              {text: "The ClickHouse that is loaded."},
		"warehouse.dsn":          {text: "embedded, for a ClickHouse that syncd runs itself, or the address of a server: clickhouse://user:${CLICKHOUSE_PASSWORD}@host:9440/?secure=true, or https://user:${CLICKHOUSE_PASSWORD}@host:8443/ over HTTP", value: Embedded},
		"warehouse.cluster":      {text: "The name of a ClickHouse cluster on which everything is created; empty for a single server.", pattern: "[A-Za-z0-9_.-]*"},
		"warehouse.database":     {text: "The database that BI reads. The tables behind its views are in the database of this name with _store at its end.", value: databaseDefault, pattern: "[A-Za-z_][A-Za-z0-9_]*"},
		"warehouse.memory_limit": {text: "The most memory that the embedded ClickHouse takes, at least 512MiB. A server has its own limit.", value: memoryLimitDefault.String()},

		"state":     {text: "Where paces, cursors and answers that are not loaded yet are kept."},
		"state.dsn": {text: "sqlite:PATH, or postgres://user:${POSTGRES_PASSWORD}@host/database. By default state.db in data_dir.", pattern: "(sqlite:|postgres://|postgresql://).+"},

		"data_dir": {text: "Where the embedded ClickHouse, the SQLite state and downloaded files are kept. Created when missing; relative to the working directory.", value: dataDirDefault},

		"http":               {text: "The daemon's own server: page, API, /metrics, /healthz, /readyz, /postback."},
		"http.listen":        {text: "host:port. An address that is not loopback needs a token. Port 0 picks a free one.", value: listenDefault, pattern: `.*:\d+`},
		"http.token":         {text: "Asked from every client, when set. Postbacks have tokens of their own."},
		"http.public_url":    {text: "Where the daemon is reached from outside, such as https://syncd.example.com: the beginning of the addresses for postbacks that `syncd networks NAME --postback ACCOUNT` prints.", pattern: "https?://.+"},
		"http.postback_rate": {text: "How many postbacks a second are taken from one address.", value: strconv.Itoa(postbackRate), minimum: new(1), maximum: new(postbackRateMax)},

		"retention":           {text: "How long what could be had again is kept."},
		"retention.raw_pages": {text: "The networks' answers in the warehouse, from which rows can be mapped again without a call; at least 1d.", value: span(rawPagesDefault)},
		"retention.spool":     {text: "Downloaded export files, at least 1h.", value: span(spoolDefault)},

		"inbox":          {text: "Answers that wait for the warehouse."},
		"inbox.max_size": {text: "When this much waits, compressed, no more calls are made until the warehouse took some; at least 16MiB.", value: inboxDefault.String()},

		"pii":       {text: "What happens to personal data before anything is stored."},
		"pii.ip":    {text: "IP addresses: keep them, store a keyed hash, or drop them.", value: PIIKeep, words: piiWords},
		"pii.email": {text: "E-mail addresses: keep them, store a keyed hash, or drop them.", value: PIIKeep, words: piiWords},
		"pii.key":   {text: "What hashes are keyed with; needed where something is hashed. Another key gives other hashes."},

		"log":        {text: "What the daemon says about itself on standard error."},
		"log.level":  {text: "The least level that is written.", value: "info", words: levelWords},
		"log.format": {text: "auto is console on a terminal and json elsewhere.", value: "auto", words: formatWords},

		"accounts":                     {text: "The sets of credentials that are pulled, each in a line of its own.", required: true},
		"accounts[]":                   {text: "One set of credentials at one network."},
		"accounts[].name":              {text: "The key of all rows of the account. Never change it: its rows would be pulled again under the new name.", pattern: "[a-z0-9_-]{1,64}", required: true},
		"accounts[].network":           {text: "The network; `syncd networks` lists them.", required: true},
		"accounts[].base_url":          {text: "The address of the network's API, where it differs between customers or is not the usual one.", pattern: "https?://.+"},
		"accounts[].credentials":       {text: "What the network asks for, as `syncd networks NAME` prints it."},
		"accounts[].credentials.*":     {text: "A secret; best written as ${NAME} for an environment variable or ${file:/path} for a file."},
		"accounts[].variables":         {text: "What the network asks for and is no secret (ids of integrations or users), as `syncd networks NAME` prints it."},
		"accounts[].variables.*":       {text: "The variable's value."},
		"accounts[].role":              {text: "What the key is at the network, one of the roles that `syncd networks NAME` prints; without it the first."},
		"accounts[].timezone":          {text: "The IANA name of the zone of the account's report days; schedules are in it too.", value: timezoneDefault},
		"accounts[].pace":              {text: "How fast the account is called."},
		"accounts[].pace.min_delay":    {text: "The time from the end of a call to the next one, failed calls included. By default the network's floor; below it only with allow_faster."},
		"accounts[].pace.allow_faster": {text: "Permits a min_delay below the network's floor.", value: "false"},
		"accounts[].pace.parallel":     {text: "The number of calls at a time. By default what the network allows.", minimum: new(0), maximum: new(parallelMax)},
		"accounts[].timeout":           {text: "The longest that one call may take, 1s to 1h. By default the network's own, mostly 120s."},
		"accounts[].start":             {text: "The first day ever pulled. Without it the longest restatement tier of a stream says how far back it begins."},

		"accounts[].streams":                   {text: "Changes to streams, by name. Those not named run as `syncd networks NAME` prints."},
		"accounts[].streams.*":                 {text: "Changes to one stream."},
		"accounts[].streams.*.enabled":         {text: "false leaves the stream out, true takes in one that is left out by default."},
		"accounts[].streams.*.schedule":        {text: "When the stream is due: a cron line of five fields in the account's zone, or @hourly, @daily, @every 15m.", pattern: `@\S+.*|\S+(\s+\S+){4}`},
		"accounts[].streams.*.restate":         {text: "How far back is pulled again, and how often, because networks change the past. Each tier reaches further back than the one before, and is due no more often."},
		"accounts[].streams.*.restate[]":       {text: "A stretch of the past that is pulled again."},
		"accounts[].streams.*.restate[].last":  {text: "How far back it reaches.", required: true},
		"accounts[].streams.*.restate[].every": {text: "How often it is pulled again, at least 1m.", required: true},
		"accounts[].streams.*.slices":          {text: "The slices of a stats report that can be cut freely, such as [offer, partner, country]."},
		"accounts[].streams.*.slices[]":        {text: "The name of a slice at the network."},
		"accounts[].streams.*.variables":       {text: "Variables for this stream alone."},
		"accounts[].streams.*.variables.*":     {text: "The variable's value."},
		"accounts[].streams.*.start":           {text: "The first day ever pulled of this stream."},

		"accounts[].postback":             {text: "What the network may call on its own, at /postback/ and the account's name."},
		"accounts[].postback.token":       {text: "Stands in the address that the network is given: letters, digits and -._~, at least 16. Make one with: openssl rand -hex 16"},
		"accounts[].postback.statuses":    {text: "What the network's words for a status mean in this account, where that is not known or otherwise."},
		"accounts[].postback.statuses.*":  {text: "What the word means.", words: statusWords},
		"accounts[].postback.currency":    {text: "The currency of amounts that come without one.", pattern: "[A-Za-z]{3}"},
		"accounts[].open_ids":             {text: "Leads that somebody else sent to the network, to be asked for: rows with lead_id (the network's id), own_id or click_id, and created_at if it is known."},
		"accounts[].open_ids.query":       {text: "A query of the warehouse that gives them: SELECT lead_id FROM crm.leads WHERE network = 'kma'"},
		"accounts[].open_ids.file":        {text: "A CSV file with a header that has them."},
		"accounts[].open_ids.every":       {text: "How often they are read, at least 1m. By default " + span(openIDsEvery) + "."},
		"accounts[].guards":               {text: "When an answer is held back until a second one agrees, or syncd run --accept believes it."},
		"accounts[].guards.shrink":        {text: "The share of a window's rows that may vanish at once: above 0, and 1 lets all of them go. By default 0.5."},
		"accounts[].guards.ignore_totals": {text: "Do not compare the totals that the network states with its records."},
	}
}
