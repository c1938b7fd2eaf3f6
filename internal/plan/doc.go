// Package plan says what has to be pulled: it cuts a stream's time into windows
// on the account's report days, and decides from the checkpoints which windows
// are due, how urgent they are and in which order they go.
//
// Everything here is a pure function of its arguments. Nothing calls a network,
// reads a clock or stores anything: package pipeline does, and `syncd plan`
// prints the same decisions without acting on them.
package plan
