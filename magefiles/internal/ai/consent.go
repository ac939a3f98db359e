package ai

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"todo.local/magefiles/internal/app"
)

// words are those by which a person asks for a change. They are looked for in the person's words alone: a change that
// only a log or an event asks for has none there.
var wordsFor = map[string]*regexp.Regexp{
	Scale:    regexp.MustCompile(`\b(scal(e|ing)|pods?|replicas?|copies|copy|instances?|bigger|smaller|more|fewer|less|out of service|shut ?down|turn off|stop)\b`),
	Restart:  regexp.MustCompile(`\b(restart(ed|ing)?|re-?start|reboot|bounce|recycle|renew|new pods)\b`),
	Rollback: regexp.MustCompile(`\b(roll(ing|ed)?[ -]?back|revert|undo|go back|back to|previous|earlier)\b`),
}

// asksFor tells whether a person's words ask for a change: a second reading of them, which knows nothing of the model
// that proposed it. Every part of the change has to be there.
func (a Application) asksFor(question string, c Call) bool {
	text := plain(question)
	if asks.MatchString(text) || negates.MatchString(strings.ReplaceAll(text, "stop", "")) || !wordsFor[c.Tool].MatchString(text) {
		return false
	}
	if s, found := app.Find(c.Service); c.Service != "" && (!found || !s.Called(text)) {
		return false
	}
	if c.Tool == Restart || c.Tool == Rollback && c.Number == 0 {
		return true
	}
	numbered := counted.ReplaceAllStringFunc(text, func(w string) string { return strconv.Itoa(slices.Index(counts, w)) })
	if c.Tool == Scale && c.Number == 0 && regexp.MustCompile(`\b(out of service|shut ?down|turn off|stop)\b`).MatchString(text) {
		return true
	}
	return slices.Contains(numbers.FindAllString(numbered, -1), strconv.Itoa(c.Number))
}

// plain is a question in small letters with single spaces.
func plain(question string) string {
	return strings.Join(strings.Fields(strings.ToLower(strings.ReplaceAll(question, "’", "'"))), " ")
}
