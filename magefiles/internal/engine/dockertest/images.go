package dockertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/run"
)

// images answers everything below /images/: names of images have slashes, which patterns of a mux do not expect.
func (e *standIn) images(w http.ResponseWriter, r *http.Request) {
	rest := strings.TrimPrefix(r.URL.Path, "/images/")
	cut := strings.LastIndexByte(rest, '/')
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodGet && rest == "json":
		e.listImages(w, r)
	case r.Method == http.MethodGet && rest == "get":
		e.saveImages(w, r, query["names"])
	case r.Method == http.MethodPost && rest == "create" && query.Get("fromSrc") != "":
		e.work(w, r, run.Cmd{Args: []string{"import", "-", query.Get("repo")}, Stdin: r.Body})
	case r.Method == http.MethodPost && rest == "create":
		e.work(w, r, run.Cmd{Args: []string{"pull", short(query.Get("fromImage"), query.Get("tag"))}})
	case r.Method == http.MethodDelete:
		args := []string{"image", "rm"}
		if query.Get("noprune") != "" {
			args = append(args, "--no-prune")
		}
		if _, ok := e.output(w, r, append(args, rest)...); ok {
			_, _ = io.WriteString(w, "[]")
		}
	case cut < 0:
		http.NotFound(w, r)
	default:
		e.image(w, r, rest[:cut], rest[cut+1:])
	}
}

func (e *standIn) saveImages(w http.ResponseWriter, r *http.Request, lists []string) {
	args := []string{"save"}
	for _, names := range lists {
		args = append(args, strings.Split(names, ",")...)
	}
	if _, err := e.ask(r, run.Cmd{Args: args, Stdout: w}); err != nil {
		refuse(w, err)
	}
}

// image answers what is asked about one image.
func (e *standIn) image(w http.ResponseWriter, r *http.Request, name, verb string) {
	query := r.URL.Query()
	switch verb {
	case "json":
		e.inspectImage(w, r, name)
	case "tag":
		if _, ok := e.output(w, r, "tag", name, short(query.Get("repo"), query.Get("tag"))); ok {
			w.WriteHeader(http.StatusCreated)
		}
	case "push":
		if r.Header.Get("X-Registry-Auth") == "" { // as engines before 23 do
			refuse(w, errors.New("bad parameters and missing X-Registry-Auth: EOF"))
			return
		}
		e.work(w, r, run.Cmd{Args: []string{"push", short(name, query.Get("tag"))}})
	default:
		http.NotFound(w, r)
	}
}

// Inspected is what docker image inspect prints of an image.
func Inspected(i engine.Image) string {
	raw, err := json.Marshal([]any{map[string]any{
		"Id": i.ID, "RepoTags": i.Tags, "RepoDigests": i.Digests, "Config": map[string]any{"Labels": i.Labels},
	}})
	if err != nil {
		panic(err) // of strings only
	}
	return string(raw)
}

// short puts together what the client has taken apart, without what nobody types.
func short(repository, tag string) string {
	repository = strings.TrimPrefix(strings.TrimPrefix(repository, "docker.io/"), "library/")
	if strings.HasPrefix(tag, "sha256:") {
		return repository + "@" + tag
	}
	return repository + ":" + tag
}

func (e *standIn) inspectImage(w http.ResponseWriter, r *http.Request, name string) {
	out, ok := e.output(w, r, "image", "inspect", name)
	if !ok {
		return
	}
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 1 {
		refuse(w, fmt.Errorf("the script has no list of one image: %s", out))
		return
	}
	_, _ = w.Write(list[0])
}

func (e *standIn) listImages(w http.ResponseWriter, r *http.Request) {
	out, ok := e.output(w, r, "image", "ls")
	if !ok {
		return
	}
	list := []map[string]any{}
	for name := range strings.FieldsSeq(out) {
		list = append(list, map[string]any{"RepoTags": []string{name}})
	}
	_ = json.NewEncoder(w).Encode(list)
}

var (
	layerLine  = regexp.MustCompile(`^([0-9a-f]+): (.+)$`)
	digestLine = regexp.MustCompile(`^(\S+): digest: (sha256:[0-9a-f]{64}) size: (\d+)$`)
)

// work runs a command that takes its time, and sends on each line that it prints as a message.
func (e *standIn) work(w http.ResponseWriter, r *http.Request, c run.Cmd) {
	messages := json.NewEncoder(w)
	begun := false
	send := func(m map[string]any) {
		begun = true
		_ = messages.Encode(m)
		w.(http.Flusher).Flush()
	}
	c.Line = func(line string) {
		if strings.HasPrefix(line, "Error") {
			return // of the client's own, which the failure has
		}
		m := map[string]any{"status": line}
		if found := layerLine.FindStringSubmatch(line); found != nil {
			m = map[string]any{"id": found[1], "status": found[2]}
		}
		send(m)
		if found := digestLine.FindStringSubmatch(line); found != nil {
			send(map[string]any{"aux": map[string]string{"Tag": found[1], "Digest": found[2]}})
		}
	}
	_, err := e.ask(r, c)
	switch {
	case err != nil && begun:
		send(map[string]any{"errorDetail": map[string]string{"message": said(err)}, "error": said(err)})
	case err != nil:
		refuse(w, err)
	}
}
