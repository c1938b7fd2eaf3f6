// Package plan says what has to be pulled: it cuts a stream's time into windows
// on the account's report days, and decides from the checkpoints which windows
// are due, how urgent they are, in which order they go and by which route: asked
// for page by page, or as a file that the network writes.
//
// It also says what that costs, and what a stream costs a day once everything is
// published (Day), in the two currencies that networks know: calls and exports.
//
// Everything here is a pure function of its arguments. Nothing calls a network,
// reads a clock or stores anything: package pipeline does, and `syncd plan`
// prints the same decisions without acting on them.
package plan
