package ai

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
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

// KnownSecrets takes the values themselves, the passwords in those that are URLs, and how either is written in JSON and
// in URLs.
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
			out = append(out, w, strings.Trim(string(quoted), `"`), url.QueryEscape(w), url.PathEscape(w), hex.EncodeToString([]byte(w)))
			out = append(out, inBase64(w)...)
		}
	}
	out = slices.DeleteFunc(out, func(v string) bool { return len(v) < shortest })
	// A value that holds another goes first.
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(out)
}

// inBase64 is how a value is written in base64, alone or within a longer one: that depends on where in it the value
// begins.
func inBase64(v string) []string {
	if len(v) < shortest {
		return nil
	}
	var out []string
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			whole := (before + len(v)) / 3 * 3 // bytes whose letters do not depend on what follows
			text := encoding.EncodeToString(append(make([]byte, before), v...)[:whole])
			out = append(out, text[(before*8+5)/6:])
		}
		out = append(out, encoding.EncodeToString([]byte(v)))
	}
	return out
}

// leftOut stands where a secret was.
const leftOut = "(left out)"

// shapes are what secrets look like that nobody told of: credentials in a URL, sessions and keys.
var shapes = regexp.MustCompile(`(://)[^/\s:@]*:[^/\s@]+(@)|(?i:(bearer )\S+)|\beyJ[\w-]+\.[\w-]+\.[\w-]*|\bsk-[\w-]{16,}`)

// Hide gives the text without secrets.
func (s Secrets) Hide(text string) string {
	for _, v := range s {
		text = strings.ReplaceAll(text, v, leftOut)
		if len(v) >= longEnough {
			text = s.joined(text, v)
		}
	}
	return shapes.ReplaceAllString(text, "${1}${3}"+leftOut+"${2}")
}

// longEnough is the length from which on a value is looked for across the ends of lines too.
const longEnough = 16

// joined hides a value that is broken over lines.
func (Secrets) joined(text, v string) string {
	for from := 0; ; {
		i := strings.Index(text[from:], v[:1])
		if i < 0 {
			return text
		}
		start := from + i
		at, n := start, 0
		for at < len(text) && n < len(v) {
			switch c := text[at]; {
			case c == v[n]:
				n++
			case n > 0 && (c == '\n' || c == '\r' || c == '\t' || c == ' '):
			default:
				n = -1
			}
			if n < 0 {
				break
			}
			at++
		}
		if n == len(v) {
			text = text[:start] + leftOut + text[at:]
			from = start + len(leftOut)
			continue
		}
		from = start + 1
	}
}
