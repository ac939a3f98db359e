// Package words makes what others have said fit into a line.
package words

import "strings"

// OneLine gives a text without line breaks, and with single spaces.
func OneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Short gives the first n letters of a text, and a mark where more follow.
func Short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// End gives the last n letters of a text, and a mark where more stand before them.
func End(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return "…" + string(r[len(r)-n:])
	}
	return s
}

// Ends gives n letters of a text from its two ends: an error begins with what failed and ends with its cause.
func Ends(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n/2]) + "…" + string(r[len(r)-n/2:])
	}
	return s
}
