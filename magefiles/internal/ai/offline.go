package ai

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/audit"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

// understood says what the built-in interpreter can be asked.
const understood = `"what is wrong?", "why is the backend restarting?", "show the pods", "logs of the backend", "how much memory is used?", ` +
	`"show the deployments", "show the last events", "which revisions are there?", "scale the backend to 3", "restart the frontend", "roll back to revision 2"`

const withModel = "with OPENAI_API_KEY a model answers in its own words"

// intents are what the interpreter looks for, in this order. An answer begins with lead.
var intents = []struct {
	tool    string
	pattern *regexp.Regexp
	lead    string
}{
	{Diagnosis, regexp.MustCompile(`\b(why|wrong)\b`), ""},
	{Logs, regexp.MustCompile(`\b(logs?|logged|output)\b`), "This is what %s logged last:"},
	{Diagnosis, regexp.MustCompile(`\b(broken|problems?|issues?|fail\w*|crash\w*|restart\w*|ok|okay|healthy?|unhealthy|down|not (ready|working|running)|errors?|diagnos\w*)\b`), ""},
	{Usage, regexp.MustCompile(`\b(memory|ram|cpu|usage|uses?|used|resources?|top|consum\w*)\b`), "The pods use this much of CPU and memory, of what they may use:"},
	{Events, regexp.MustCompile(`\b(events?|happen\w*)\b`), "This is what happened, the newest last:"},
	{History, regexp.MustCompile(`\b(history|revisions?|versions?|releases?|roll(ed)?[ -]?back)\b`), "These revisions are there, the newest last:"},
	{Deployments, regexp.MustCompile(`\b(deployments?|replicas?|images?)\b`), "These are the deployments:"},
	{Status, regexp.MustCompile(`\b(pods?|status|state|up|running|runs|urls?|overview)\b`), "This is what runs:"},
}

// orders are the changes that it understands where a request is no question.
var orders = map[string]*regexp.Regexp{
	Scale:    regexp.MustCompile(`\bscal(e|ing)\b|\b(make|run|start|give|set|use|want|need|increase|reduce|bring|put|turn)\b.*\b(bigger|smaller|copies|pods|replicas|instances)\b`),
	Restart:  regexp.MustCompile(`\b(restart|reboot|bounce|recycle)\b`),
	Rollback: regexp.MustCompile(`\b(roll(ing)?[ -]?back|go back|back to (the )?(last |previous )?(revision|version)|undo|revert)\b`),
}

var (
	asks    = regexp.MustCompile(`^(how|when|what|which|who|where|did|does|is|are|was|were|has|have|should|do (i|we|you|they|the)|(can|could|may|must) (i|we))\b|\bwhy\b`)
	negates = regexp.MustCompile(`\b(don'?t|not|never|no|without|stop|can'?t|won'?t)\b`)
	numbers = regexp.MustCompile(`-?\b\d+(\.\d+)?\b`)
	toward  = regexp.MustCompile(`\b(?:to|revision|version|number) #?(-?\d+(\.\d+)?)\b`)
	counts  = []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
	counted = regexp.MustCompile(`\b(` + strings.Join(counts, "|") + `)\b`)
)

// interpret answers without a model.
func (s *Session) interpret(ctx context.Context, question string) error {
	call, lead, err := s.Application.understand(question)
	if err != nil {
		return err
	}
	if !call.changes() {
		var text string
		if err := s.UI.Do("Built-in interpreter", func(t *ui.Task) error {
			t.Status("%s", call)
			text, err = s.Operations.Read(ctx, call)
			s.record(audit.Read, call.String())
			t.Result("took it for: %s; %s", call, withModel)
			return err
		}); err != nil {
			return err
		}
		s.say(strings.TrimSpace(lead + "\n\n" + strings.Trim(text, "\n")))
		return nil
	}
	s.UI.Printf("Built-in interpreter: took it for: %s; %s\n", call, withModel)
	if s.Confirm == nil {
		return unasked([]Call{call})
	}
	made, err := s.decide(ctx, call)
	if err == nil && !made {
		s.UI.Printf("Nothing was changed.\n")
	}
	return err
}

// Ordered finds the one change that a request asks for in plain words. The error is a question back.
func (a Application) Ordered(question string) (Call, error) {
	c, _, err := a.understand(question)
	if err == nil && !c.changes() {
		err = back("no change is asked for", "scale the "+a.Scalable[0]+" to 3")
	}
	return c, err
}

// understand finds out what a request is for and how the answer begins. The error is a question back.
func (a Application) understand(question string) (c Call, lead string, err error) {
	text := plain(question)
	var services []string
	for _, name := range a.Services {
		if s, found := app.Find(name); found && s.Called(text) {
			services = append(services, name)
		}
	}
	if !asks.MatchString(text) {
		if c, found, err := a.order(text, services); found {
			return c, "", err
		}
	}
	for _, i := range intents {
		if !i.pattern.MatchString(text) {
			continue
		}
		c, lead := Call{Tool: i.tool}, i.lead
		switch {
		case i.tool == Diagnosis && len(services) == 1:
			c.Service = services[0]
		case i.tool == Logs && len(services) != 1:
			return Call{}, "", back("whose logs: "+strings.Join(a.Services, ", ")+"?", "logs of the "+a.Services[0])
		case i.tool == Logs:
			c.Service, lead = services[0], fmt.Sprintf(lead, services[0])
		}
		return c, lead, nil
	}
	return Call{}, "", fault.New(fault.CodeInput, "the built-in interpreter does not understand this", "it understands "+understood+"; "+withModel)
}

// order understands a change. It asks back where anything is left open, as a guess would be somebody's outage.
func (a Application) order(text string, services []string) (c Call, found bool, err error) {
	for tool, pattern := range orders {
		switch {
		case !pattern.MatchString(text):
		case found:
			return c, true, back("which of these first?", "restart the "+a.Scalable[0])
		default:
			c.Tool, found = tool, true
		}
	}
	if !found {
		return c, false, nil
	}
	if negates.MatchString(text) {
		return c, true, back("shall something be changed, or not?", "restart the "+a.Scalable[0])
	}
	if c.Tool == Rollback {
		c.Number, err = earlier(text)
		return c, true, err
	}
	if len(services) != 1 || !slices.Contains(a.Scalable, services[0]) {
		return c, true, back(c.Tool+" what: "+strings.Join(a.Scalable, " or ")+"?", c.Tool+" the "+a.Scalable[0])
	}
	c.Service = services[0]
	if c.Tool == Scale {
		c.Number, err = a.pods(text)
	}
	return c, true, err
}

// earlier finds the revision that a request names; 0 where it names none.
func earlier(text string) (int, error) {
	given := numbers.FindAllString(text, -1)
	if len(given) == 0 {
		return 0, nil
	}
	if to := toward.FindStringSubmatch(text); to != nil && len(given) == 1 {
		if n, err := strconv.Atoi(to[1]); err == nil && n > 0 && n <= maxRevision {
			return n, nil
		}
	}
	return 0, back("back to which revision?", "roll back to revision 2")
}

// pods finds the number of pods that a request names: the only number, or the one that follows "to".
func (a Application) pods(text string) (int, error) {
	text = counted.ReplaceAllStringFunc(text, func(w string) string { return strconv.Itoa(slices.Index(counts, w)) })
	given := numbers.FindAllString(text, -1)
	if to := toward.FindAllStringSubmatch(text, -1); len(to) == 1 {
		given = to[0][1:2]
	}
	if len(given) == 1 && !strings.Contains(text, " by ") {
		if n, err := strconv.Atoi(given[0]); err == nil && n >= 0 && n <= a.MaxPods {
			return n, nil
		}
	}
	return 0, back(fmt.Sprintf("scale to how many pods: 0 to %d?", a.MaxPods), fmt.Sprintf("scale the %s to 3", a.Scalable[0]))
}

// back is a question to the person, and how the request could be put.
func back(question, example string) error {
	return fault.New(fault.CodeInput, question, fmt.Sprintf("ask for example: %q", example))
}
