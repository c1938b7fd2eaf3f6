package loaders

import (
	"fmt"
	"math"
	"strings"

	"syncd/schema"
)

// stagingPrefix begins the names of a slot's staging tables. The instance keeps apart
// the slots of daemons that load into the same databases.
func (d *ddl) stagingPrefix(slot int) string {
	if d.instance == "" {
		return fmt.Sprintf("staging_%d_", slot)
	}
	return fmt.Sprintf("staging_%s_%d_", d.instance, slot)
}

// stagingName is the name of a slot's staging table. Slots have tables of their own
// and streams have not: a table a stream would be thousands of tables.
func (d *ddl) stagingName(slot int, t *schema.Table) string {
	return d.stagingPrefix(slot) + t.Name
}

// staging gives the qualified name of a slot's staging table.
func (d *ddl) staging(slot int, t *schema.Table) string {
	return quote(d.store) + "." + quote(d.stagingName(slot, t))
}

// target gives the qualified name of a table of the store.
func (d *ddl) target(name string) string {
	return quote(d.store) + "." + quote(name)
}

// createStaging gives the statement that makes a staging table: the structure,
// indexes, engine, key and partition of its target, as attaching partitions demands.
// It never merges: the count of its rows stays the number of rows sent, and work
// on parts that will be attached in a moment would be lost.
//
// Its parts are compact, whatever their size: a wide one of clicks is some 200 files,
// and to make and to link them cost a fifth of an INSERT. The first merge in the target
// makes wide ones of them.
func (d *ddl) createStaging(slot int, t *schema.Table) string {
	made := rowTable(t)
	partition := ""
	if made.partition != "" {
		partition = "\nPARTITION BY " + made.partition
	}
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s%s AS %s\nENGINE = %s%s\nORDER BY (%s)\nSETTINGS max_bytes_to_merge_at_min_space_in_pool = 1, max_bytes_to_merge_at_max_space_in_pool = 1, parts_to_delay_insert = 0, parts_to_throw_insert = 100000, min_bytes_for_wide_part = %[7]d, min_rows_for_wide_part = %[7]d",
		d.staging(slot, t), d.onCluster(), d.target(t.Name), d.engine(made), partition, quoteAll(made.key), int64(math.MaxInt64))
}

// dropStaging gives the statement that removes a staging table.
func (d *ddl) dropStaging(slot int, t *schema.Table) string {
	return fmt.Sprintf("DROP TABLE IF EXISTS %s%s SYNC", d.staging(slot, t), d.onCluster())
}

// truncate gives the statement that empties a table of the store.
func (d *ddl) truncate(name string) string {
	return fmt.Sprintf("TRUNCATE TABLE IF EXISTS %s%s", d.target(name), d.onCluster())
}

// killInserts gives the statement that ends the INSERTs into a slot's staging
// tables and waits for their end. They begin as startInsert writes them.
func (d *ddl) killInserts(slot int) string {
	begin := "INSERT INTO " + quote(d.store) + ".`" + d.stagingPrefix(slot)
	return fmt.Sprintf("KILL QUERY%s WHERE user = currentUser() AND startsWith(query, %s) SYNC", d.onCluster(), literal(begin))
}

// hasten gives the statement that has a staging table pack its columns with what costs
// least: ZSTD is a sixth of an INSERT. The first merge in the target, which packs them
// as that says, is not on the way to a reader. A month's only part is never merged; it
// has no more rows than an INSERT gives to one.
func (d *ddl) hasten(slot int, t *schema.Table) string {
	var changes []string
	for _, name := range hastened(t) {
		changes = append(changes, fmt.Sprintf("MODIFY COLUMN %s %s", quote(name), stagingCodec))
	}
	return fmt.Sprintf("ALTER TABLE %s%s %s", d.staging(slot, t), d.onCluster(), strings.Join(changes, ", "))
}

// stagingCodec is as system.columns prints it.
const stagingCodec = "CODEC(LZ4)"

// hastened are the columns that hasten changes. The engine's own arguments cannot be.
func hastened(t *schema.Table) (names []string) {
	for _, c := range t.Columns {
		if c.Name != schema.ColumnVersion && c.Name != schema.ColumnDeleted {
			names = append(names, c.Name)
		}
	}
	return names
}

// sameStructure gives the query that says 1 when a staging table has the columns
// and indexes of its target, in their order, and its own codecs, and 1 when there is no
// staging table.
func (d *ddl) sameStructure(slot int, t *schema.Table) string {
	structure := func(name, codec string) string {
		return fmt.Sprintf(`(SELECT groupArray((name, type, codec)) FROM (SELECT name, type, %[3]s AS codec FROM system.columns WHERE database = %[1]s AND table = %[2]s ORDER BY position)),
    (SELECT arraySort(groupArray((name, expr))) FROM system.data_skipping_indices WHERE database = %[1]s AND table = %[2]s)`,
			literal(d.store), literal(name), codec)
	}
	// Columns that a newer version made are packed as that said.
	wanted := fmt.Sprintf("if(name IN (%s), %s, compression_codec)", literals(hastened(t)), literal(stagingCodec))
	return fmt.Sprintf("SELECT toUInt8(staged = target OR empty(staged.1)) AS same FROM (SELECT\n(%s) AS staged,\n(%s) AS target)",
		structure(d.stagingName(slot, t), "compression_codec"), structure(t.Name, wanted))
}

// attach gives the statement that makes a staged partition visible in the target.
func (d *ddl) attach(slot int, t *schema.Table, partition string) string {
	return fmt.Sprintf("ALTER TABLE %s%s ATTACH PARTITION ID %s FROM %s", d.target(t.Name), d.onCluster(), literal(partition), d.staging(slot, t))
}

// stagedParts gives the query for the parts of staging tables.
func (d *ddl) stagedParts(slot int, tables []*schema.Table) string {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = d.stagingName(slot, t)
	}
	return fmt.Sprintf("SELECT table, partition_id, name, rows FROM system.parts WHERE database = %s AND table IN (%s) AND active ORDER BY table, partition_id, name",
		literal(d.store), literals(names))
}
