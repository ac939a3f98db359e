package dashboard

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/fault"
)

// fake is an application of one service.
type fake struct {
	broken error
	lines  chan Line
	done   chan Action
	goOn   chan struct{} // where there is one, actions wait for it
}

func (f *fake) Services(context.Context) ([]Service, error) {
	return []Service{{Name: "backend", Wanted: 1, Ready: 1}}, f.broken
}

func (f *fake) Release(context.Context) (Release, error) {
	return Release{Revisions: []Revision{{Number: 7}}, Findings: []analysis.Finding{{Cause: "it is slow"}}}, nil
}

func (f *fake) Follow(ctx context.Context, emit func(Line)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case l := <-f.lines:
			emit(l)
		}
	}
}

func (f *fake) Diff(_ context.Context, revision int) (string, error) {
	return fmt.Sprintf("+ %d", revision), nil
}

func (f *fake) Do(ctx context.Context, a Action, out io.Writer) error {
	_, _ = fmt.Fprintf(out, "first\nsec")
	_, _ = fmt.Fprintf(out, "ond")
	if f.goOn != nil {
		select {
		case <-f.goOn:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	f.done <- a
	if a.Service == "postgres" {
		return fault.New(fault.CodeInput, "it cannot be", "name another")
	}
	return nil
}

// open serves the page of an application, and gives a browser that has opened it.
func open(t *testing.T, app *fake) (browser *http.Client, at string) {
	t.Helper()
	app.lines, app.done = make(chan Line), make(chan Action, 9)
	ctx, cancel := context.WithCancel(t.Context())
	said, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- Serve(ctx, app, Facts{Cluster: "kind"}, 0, func(url string) { said <- url }) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-ended)
	})
	u, err := url.Parse(<-said)
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1", u.Hostname())
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser = &http.Client{Jar: jar}
	res := get(t, browser, u.String(), nil)
	assert.Equal(t, http.StatusOK, res.status)
	assert.Empty(t, res.url.RawQuery, "the token does not stay in the address")
	return browser, "http://" + u.Host
}

// reply is an answer that was read whole.
type reply struct {
	status int
	header http.Header
	text   string
	url    *url.URL // where redirections led
}

func send(t *testing.T, browser *http.Client, method, url, body string, header http.Header) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for name, values := range header {
		r.Header[name] = values
	}
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	res, err := browser.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return reply{res.StatusCode, res.Header, string(text), res.Request.URL}
}

func get(t *testing.T, browser *http.Client, url string, header http.Header) reply {
	t.Helper()
	return send(t, browser, http.MethodGet, url, "", header)
}

func TestOnlyWhoHasTheAddressGetsIn(t *testing.T) {
	browser, at := open(t, &fake{})
	res := get(t, browser, at+"/", nil)
	assert.Contains(t, res.header.Get("Content-Security-Policy"), "default-src 'none'")
	stranger := &http.Client{}
	for _, path := range []string{"/", "/?token=", "/?token=guess", "/main.js", "/api/events", "/api/diff?revision=1"} {
		assert.Equal(t, http.StatusUnauthorized, get(t, stranger, at+path, nil).status, path)
	}
	assert.Equal(t, http.StatusUnauthorized, send(t, stranger, http.MethodPost, at+"/api/do", `{"name":"test"}`, nil).status)
}

func TestAPageFromElsewhereDoesNothing(t *testing.T) {
	app := &fake{}
	browser, at := open(t, app)
	for _, header := range []http.Header{{"Origin": {"http://evil.example.com"}}, {"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}} {
		res := send(t, browser, http.MethodPost, at+"/api/do", `{"name":"restart","service":"backend"}`, header)
		assert.Equal(t, http.StatusForbidden, res.status, header)
	}
	res := get(t, browser, at+"/", http.Header{"Host": {"evil.example.com"}})
	assert.Equal(t, http.StatusMisdirectedRequest, res.status, "a name that leads here by somebody else's DNS")
	assert.Empty(t, app.done)
}

// events reads a stream until it has told of so many lines, and gives everything by name.
func events(t *testing.T, browser *http.Client, at, last string, lines int) (told map[string]string, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at+"/api/events", nil)
	require.NoError(t, err)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := browser.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	told = map[string]string{}
	name := ""
	for in := bufio.NewScanner(res.Body); in.Scan(); {
		field, value, _ := strings.Cut(in.Text(), ": ")
		switch field {
		case "id":
			id = value
		case "event":
			name = value
		case "data":
			told[name] += value + "\n"
			if lines -= strings.Count(name, "line"); lines == 0 && told["services"] != "" && told["release"] != "" {
				return told, id
			}
		}
		if lines == 0 && last != "" {
			return told, id
		}
	}
	require.NoError(t, ctx.Err(), "told of %v", told)
	return told, id
}

func TestAPageIsToldEverythingAndThenWhatIsNew(t *testing.T) {
	app := &fake{}
	browser, at := open(t, app)
	app.lines <- Line{Service: "backend", Text: "one"}
	told, id := events(t, browser, at, "", 1)
	assert.Contains(t, told["facts"], `"cluster":"kind"`)
	assert.Contains(t, told["services"], `"name":"backend"`)
	assert.Contains(t, told["release"], `"number":7`)
	assert.Contains(t, told["release"], "it is slow")
	assert.Contains(t, told["line"], `"text":"one"`)
	app.lines <- Line{Service: "backend", Text: "two"}
	told, _ = events(t, browser, at, id, 1)
	assert.Equal(t, `{"service":"backend","text":"two"}`+"\n", told["line"], "and not again what it has seen")
}

func TestWhatIsNotKnownIsSaid(t *testing.T) {
	h := newHub()
	h.trouble("services", errors.New("the cluster does not answer"))
	h.trouble("logs", nil)
	events, _ := h.since(0)
	require.Len(t, events, 1)
	assert.JSONEq(t, `{"services":"the cluster does not answer"}`, string(events[0].data))
	h.trouble("services", nil)
	events, _ = h.since(events[0].id)
	require.Len(t, events, 1)
	assert.JSONEq(t, `{}`, string(events[0].data))
}

func TestLinesAreBounded(t *testing.T) {
	h := newHub()
	for i := range kept + 10 {
		h.line(Line{Text: fmt.Sprint(i)})
	}
	events, _ := h.since(0)
	require.Len(t, events, kept)
	assert.Contains(t, string(events[0].data), `"10"`)
}

func do(t *testing.T, browser *http.Client, at, body string) (int, map[string]string) {
	t.Helper()
	res := send(t, browser, http.MethodPost, at+"/api/do", body, nil)
	answer := map[string]string{}
	if strings.Contains(res.header.Get("Content-Type"), "json") {
		require.NoError(t, json.Unmarshal([]byte(res.text), &answer))
	}
	return res.status, answer
}

func TestActions(t *testing.T) {
	app := &fake{}
	browser, at := open(t, app)
	status, answer := do(t, browser, at, `{"name":"scale","service":"backend","number":3}`)
	assert.Equal(t, http.StatusOK, status)
	assert.Empty(t, answer["text"], "its progress is among the logs")
	assert.Equal(t, Action{Name: Scale, Service: "backend", Number: 3}, <-app.done)
	told, _ := events(t, browser, at, "", 2)
	assert.Equal(t, `{"service":"mage","text":"first"}`+"\n"+`{"service":"mage","text":"second"}`+"\n", told["line"])

	_, answer = do(t, browser, at, `{"name":"ask","question":"what is wrong?"}`)
	assert.Equal(t, "first\nsecond", answer["text"])

	_, answer = do(t, browser, at, `{"name":"restart","service":"postgres"}`)
	assert.Equal(t, map[string]string{"text": "", "error": "it cannot be", "remedy": "name another"}, answer)

	for _, wrong := range []string{`{"name":"delete"}`, `{"name":"scale","pods":3}`, `[]`, `{"name":"ask","question":"` + strings.Repeat("a", mostOfAnAction) + `"}`} {
		status, _ = do(t, browser, at, wrong)
		assert.Equal(t, http.StatusBadRequest, status)
	}
	res := get(t, browser, at+"/api/diff?revision=6", nil)
	assert.JSONEq(t, `{"text":"+ 6"}`, res.text)
	assert.Equal(t, http.StatusBadRequest, get(t, browser, at+"/api/diff?revision=x", nil).status)
}

func TestAnActionRunsOnceAtATimeAndOutlivesItsPage(t *testing.T) {
	app := &fake{goOn: make(chan struct{})}
	browser, at := open(t, app)
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at+"/api/do", strings.NewReader(`{"name":"restart","service":"backend"}`))
	require.NoError(t, err)
	left := make(chan struct{})
	go func() {
		defer close(left)
		if res, err := browser.Do(r); err == nil {
			_ = res.Body.Close()
		}
	}()
	events(t, browser, at, "", 1) // it has begun
	_, answer := do(t, browser, at, `{"name":"restart","service":"frontend"}`)
	assert.Equal(t, "restart runs already", answer["error"])
	leave()
	<-left
	close(app.goOn)
	assert.Equal(t, "backend", (<-app.done).Service)
}

func TestAPortThatIsTaken(t *testing.T) {
	_, at := open(t, &fake{})
	u, err := url.Parse(at)
	require.NoError(t, err)
	var port int
	_, err = fmt.Sscan(u.Port(), &port)
	require.NoError(t, err)
	err = Serve(t.Context(), &fake{}, Facts{}, port, nil)
	assert.ErrorContains(t, err, "cannot be had")
	assert.Equal(t, fault.CodeInput, fault.Code(Serve(t.Context(), &fake{}, Facts{}, 70000, nil)))
}
