package dockertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/moby/moby/api/pkg/stdcopy"

	"todo.local/magefiles/internal/run"
)

// inspectContainer answers with the one object of the command's list.
func (e *standIn) inspectContainer(w http.ResponseWriter, r *http.Request) {
	out, ok := e.output(w, r, "container", "inspect", r.PathValue("name"))
	if !ok {
		return
	}
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 1 {
		refuse(w, fmt.Errorf("the script has no list of one container: %s", out))
		return
	}
	_, _ = w.Write(list[0])
}

func (e *standIn) listContainers(w http.ResponseWriter, r *http.Request) {
	var filters map[string]map[string]bool
	_ = json.Unmarshal([]byte(r.URL.Query().Get("filters")), &filters)
	args := []string{"ps"}
	for key, values := range filters {
		for value := range values {
			args = append(args, "--filter", key+"="+value)
		}
	}
	out, ok := e.output(w, r, args...)
	if !ok {
		return
	}
	list := []map[string]any{}
	for name := range strings.FieldsSeq(out) {
		list = append(list, map[string]any{"Names": []string{"/" + name}})
	}
	_ = json.NewEncoder(w).Encode(list)
}

// changeContainer starts, stops, restarts or unpauses.
func (e *standIn) changeContainer(w http.ResponseWriter, r *http.Request) {
	if _, ok := e.output(w, r, r.PathValue("verb"), r.PathValue("name")); ok {
		w.WriteHeader(http.StatusNoContent)
	}
}

// logs answers with the two outputs in one stream, as where the container has no terminal.
func (e *standIn) logs(w http.ResponseWriter, r *http.Request) {
	res, err := e.ask(r, run.Cmd{Args: []string{"logs", "--tail", r.URL.Query().Get("tail"), r.PathValue("name")}})
	if err != nil {
		refuse(w, err)
		return
	}
	writeFrames(w, res)
}

// execution is a command in a container. One without input has run once it is made, since the engine refuses only
// what is not made yet.
type execution struct {
	name    string
	request struct {
		Cmd, Env    []string
		AttachStdin bool
	}
	result run.Result
	code   int
	ended  bool
}

func (e *standIn) createExec(w http.ResponseWriter, r *http.Request) {
	x := &execution{name: r.PathValue("name")}
	if err := json.NewDecoder(r.Body).Decode(&x.request); err != nil {
		refuse(w, err)
		return
	}
	if !x.request.AttachStdin {
		if err := e.execute(r, x, nil); err != nil {
			refuse(w, err)
			return
		}
	}
	e.mu.Lock()
	id := strconv.Itoa(len(e.execs) + 1)
	e.execs[id] = x
	e.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]string{"Id": id})
}

// execute runs the command. Its error is the engine's refusal.
func (e *standIn) execute(r *http.Request, x *execution, stdin io.Reader) error {
	args := []string{"exec"}
	if x.request.AttachStdin {
		args = append(args, "-i")
	}
	for _, pair := range x.request.Env {
		args = append(args, "--env", pair)
	}
	res, err := e.ask(r, run.Cmd{Args: append(append(args, x.name), x.request.Cmd...), Stdin: stdin})
	var failed *run.Error
	switch {
	case err == nil:
	case !errors.As(err, &failed):
		return err
	case strings.Contains(failed.Output, "Error response from daemon: ") || strings.Contains(strings.ToLower(failed.Output), "no such container"):
		return err
	default:
		x.code = failed.Code
		res.Stderr = strings.TrimPrefix(failed.Output, res.Stdout)
		if failed.Output == "" {
			res.Stderr = failed.Err.Error()
		}
	}
	x.result, x.ended = res, true
	return nil
}

func (e *standIn) execution(r *http.Request) *execution {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.execs[r.PathValue("id")]
}

// startExec makes the connection the command's standard streams.
func (e *standIn) startExec(w http.ResponseWriter, r *http.Request) {
	x := e.execution(r)
	_, _ = io.Copy(io.Discard, r.Body)
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		refuse(w, err)
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	if x.request.AttachStdin {
		_ = e.execute(r, x, buffered) // what runs with input is there, or the test is of no use
	}
	writeFrames(conn, x.result)
}

func (e *standIn) inspectExec(w http.ResponseWriter, r *http.Request) {
	x := e.execution(r)
	_ = json.NewEncoder(w).Encode(map[string]any{"ID": r.PathValue("id"), "Running": !x.ended, "ExitCode": x.code})
}

// writeFrames writes the two outputs of a command into one stream.
func writeFrames(w io.Writer, res run.Result) {
	for _, part := range []struct {
		stream stdcopy.StdType
		text   string
	}{{stdcopy.Stdout, res.Stdout}, {stdcopy.Stderr, res.Stderr}} {
		if part.text == "" {
			continue
		}
		n := len(part.text)
		head := []byte{byte(part.stream), 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
		_, _ = w.Write(append(head, part.text...))
	}
}
