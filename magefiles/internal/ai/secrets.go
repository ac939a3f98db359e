package ai

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Secrets are values that neither a model nor a terminal is shown.
type Secrets []string

// shortest is how long a value has to be to be looked for. A shorter one would blot out words that happen to hold it.
const shortest = 6

// KnownSecrets takes the values themselves, the passwords in those that are URLs, and how either is written in JSON and in URLs.
func KnownSecrets(values ...string) Secrets {
	var out Secrets
	for _, v := range values {
		written := []string{v}
		if u, err := url.Parse(v); err == nil && u.User != nil {
			password, _ := u.User.Password()
			written = append(written, password)
		}
		for _, w := range written {
			quoted, _ := json.Marshal(w) // a string never fails
			out = append(out, w, strings.Trim(string(quoted), `"`), url.QueryEscape(w), url.PathEscape(w))
		}
	}
	out = slices.DeleteFunc(out, func(v string) bool { return len(v) < shortest })
	// A value that holds another goes first.
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(out)
}

// leftOut stands where a secret was.
const leftOut = "(left out)"

// shapes are what secrets look like that nobody told of: credentials in a URL, sessions and keys.
var shapes = regexp.MustCompile(`(://)[^/\s:@]*:[^/\s@]+(@)|(?i:(bearer )\S+)|\beyJ[\w-]+\.[\w-]+\.[\w-]*|\bsk-[\w-]{16,}`)

// Hide gives the text without secrets.
func (s Secrets) Hide(text string) string {
	for _, v := range s {
		text = strings.ReplaceAll(text, v, leftOut)
	}
	return shapes.ReplaceAllString(text, "${1}${3}"+leftOut+"${2}")
}
