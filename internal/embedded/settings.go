package embedded

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"
)

const (
	loaderUser = "syncd"
	biUser     = "bi"
)

// settings fill the two templates.
type settings struct {
	Files          layout
	Database       string
	MemoryLimit    int64
	QueryMemory    int64
	BIMemory       int64
	MarkCache      int64
	Pool           int
	PasswordDigest string
	BIDigest       string
}

// memoryShare of the limit that one query may take, so that a BI query cannot
// starve the loader.
const (
	queryMemoryShare = 0.8
	biMemoryShare    = 0.5
	markCacheShare   = 0.05
)

func newSettings(o Options, l layout, password, biPassword string) settings {
	return settings{
		Files:          l,
		Database:       o.Database,
		MemoryLimit:    o.MemoryLimit,
		QueryMemory:    int64(float64(o.MemoryLimit) * queryMemoryShare),
		BIMemory:       int64(float64(o.MemoryLimit) * biMemoryShare),
		MarkCache:      int64(float64(o.MemoryLimit) * markCacheShare),
		Pool:           max(2, runtime.NumCPU()),
		PasswordDigest: digest(password),
		BIDigest:       digest(biPassword),
	}
}

// write puts both files in place. They hold no password, only digests; private
// they are all the same.
func (s settings) write() error {
	for file, text := range map[string]*template.Template{s.Files.config(): configTemplate, s.Files.users(): usersTemplate} {
		var b bytes.Buffer
		if err := text.Execute(&b, s); err != nil {
			return fmt.Errorf("making %s: %w", filepath.Base(file), err)
		}
		if err := writePrivate(file, b.Bytes()); err != nil {
			return fmt.Errorf("writing %s: %w", filepath.Base(file), err)
		}
	}
	return nil
}

func xmlTemplate(name, text string) *template.Template {
	escape := func(s string) (string, error) {
		var b strings.Builder
		err := xml.EscapeText(&b, []byte(s))
		return b.String(), err
	}
	return template.Must(template.New(name).Funcs(template.FuncMap{"xml": escape}).Option("missingkey=error").Parse(text))
}

// configTemplate is the server's configuration. The pools and caches are those
// of a small machine: ClickHouse's own defaults start hundreds of threads.
var configTemplate = xmlTemplate("config.xml", `<clickhouse>
    <!-- Written at every start: changes made here are lost. -->
    <!-- The engine reads its level here, and traces if there is none. -->
    <log-level>information</log-level>
    <logger>
        <level>information</level>
        <log>{{xml .Files.EngineLog}}</log>
        <size>10M</size>
        <count>3</count>
        <console>0</console>
    </logger>
    <disable_suggestion>1</disable_suggestion>
    <display_name>syncd</display_name>
    <timezone>UTC</timezone>
    <users_config>{{xml .Files.Users}}</users_config>
    <default_profile>default</default_profile>
    <max_server_memory_usage>{{.MemoryLimit}}</max_server_memory_usage>
    <mark_cache_size>{{.MarkCache}}</mark_cache_size>
    <index_mark_cache_size>{{.MarkCache}}</index_mark_cache_size>
    <uncompressed_cache_size>0</uncompressed_cache_size>
    <index_uncompressed_cache_size>0</index_uncompressed_cache_size>
    <mmap_cache_size>64</mmap_cache_size>
    <compiled_expression_cache_size>16777216</compiled_expression_cache_size>
    <max_connections>256</max_connections>
    <max_concurrent_queries>64</max_concurrent_queries>
    <keep_alive_timeout>60</keep_alive_timeout>
    <max_thread_pool_size>1000</max_thread_pool_size>
    <max_thread_pool_free_size>16</max_thread_pool_free_size>
    <background_pool_size>{{.Pool}}</background_pool_size>
    <background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
    <background_move_pool_size>1</background_move_pool_size>
    <background_fetches_pool_size>1</background_fetches_pool_size>
    <background_common_pool_size>2</background_common_pool_size>
    <background_buffer_flush_schedule_pool_size>1</background_buffer_flush_schedule_pool_size>
    <background_schedule_pool_size>4</background_schedule_pool_size>
    <background_message_broker_schedule_pool_size>1</background_message_broker_schedule_pool_size>
    <background_distributed_schedule_pool_size>1</background_distributed_schedule_pool_size>
    <tables_loader_foreground_pool_size>{{.Pool}}</tables_loader_foreground_pool_size>
    <tables_loader_background_pool_size>{{.Pool}}</tables_loader_background_pool_size>
    <!-- The whole of a month's parts may be merged with this many threads busy. -->
    <merge_tree>
        <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
        <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
        <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
    </merge_tree>
</clickhouse>
`)

// usersTemplate is the users' file. The profile "default" is also that of the
// engine's own main query, which no one can reach.
var usersTemplate = xmlTemplate("users.xml", `<clickhouse>
    <!-- Written at every start: changes made here are lost. -->
    <profiles>
        <default>
            <max_memory_usage>{{.QueryMemory}}</max_memory_usage>
            <!-- Seconds until a connection that is idle notices a stop. -->
            <poll_interval>1</poll_interval>
            <query_profiler_real_time_period_ns>0</query_profiler_real_time_period_ns>
            <query_profiler_cpu_time_period_ns>0</query_profiler_cpu_time_period_ns>
        </default>
        <bi>
            <readonly>2</readonly>
            <max_memory_usage>{{.BIMemory}}</max_memory_usage>
        </bi>
    </profiles>
    <quotas>
        <default/>
        <host><interval><duration>2147483647</duration><queries>3</queries></interval></host>
    </quotas>
    <users>
        <!-- The engine's own main query runs as this user, whose name and empty password
             are not ours to choose. It may open the listeners and wait, and its quota is as
             many queries as that takes: nobody else gets anything out of it. -->
        <default>
            <no_password/>
            <networks><ip>127.0.0.1</ip></networks>
            <profile>default</profile>
            <quota>host</quota>
            <grants>
                <query>GRANT SYSTEM LISTEN ON *.*</query>
                <query>GRANT CREATE TEMPORARY TABLE ON *.*</query>
            </grants>
        </default>
        <`+loaderUser+`>
            <password_sha256_hex>{{.PasswordDigest}}</password_sha256_hex>
            <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <access_management>0</access_management>
            <grants><query>GRANT ALL ON *.*</query></grants>
        </`+loaderUser+`>
        <`+biUser+`>
            <password_sha256_hex>{{.BIDigest}}</password_sha256_hex>
            <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
            <profile>bi</profile>
            <quota>default</quota>
            <grants>
                <query>GRANT SELECT ON {{.Database}}.*</query>
                <query>GRANT SELECT ON information_schema.*</query>
                <query>GRANT SELECT ON INFORMATION_SCHEMA.*</query>
            </grants>
        </`+biUser+`>
    </users>
</clickhouse>
`)

// EngineLog and Users are for the template, which sees exported names only.
func (l layout) EngineLog() string { return l.engineLog() }
func (l layout) Users() string     { return l.users() }

func digest(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

// newPassword returns 192 random bits as text that needs no quoting anywhere.
func newPassword() string {
	var b [24]byte
	rand.Read(b[:]) // never fails: the runtime ends the process if it cannot
	return hex.EncodeToString(b[:])
}

// keptPassword returns the password in the file, or a new one put there.
func keptPassword(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading %s: %w", filepath.Base(file), err)
	}
	if password := strings.TrimSpace(string(text)); password != "" {
		return password, nil
	}
	password := newPassword()
	if err := writePrivate(file, []byte(password+"\n")); err != nil {
		return "", fmt.Errorf("keeping %s: %w", filepath.Base(file), err)
	}
	return password, nil
}

// writePrivate replaces a file in one step, readable by its owner only.
func writePrivate(file string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
