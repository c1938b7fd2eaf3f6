// Package offerslooksim is a simulated OffersLook with the truth inside: the network's
// own API (/v1) and the affiliates' (/aff/v1), with their ways of paging, sorting and
// filtering, their shared budget of calls, and conversions whose decisions come later
// and leave no trace of when they came.
//
// It follows the collected documentation of the platform and not syncd, of which it
// imports nothing. What is not documented is a switch. Everything is a function of the
// seed and of the clock: two networks with equal options give equal answers.
package offerslooksim
