// Package schedule turns cron lines into calls at their due times, in the zone
// of an account.
//
// It refuses to do more: what a run is, how long it may take and in which order
// the work of an account happens belong to the pipeline and its lanes. It keeps
// nothing; when an entry was last due is told to it at the start.
package schedule
