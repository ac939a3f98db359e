package engine_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/run"
)

func TestACommandInAContainerTellsItsExitCodeAndWhatItPrinted(t *testing.T) {
	fake := (&run.Fake{}).
		On("docker exec n true", " fine\n", nil).
		On("docker exec n sh -c exit 3", "", run.Failed(3, "the reason why\n")).
		On("docker exec gone", "", run.Failed(1, "Error: No such container: gone")).
		On("docker exec ended", "", run.Failed(1, "Error response from daemon: Container ended is not running"))
	d := dockertest.New(t, fake)
	out, err := d.Exec(t.Context(), "n", "true")
	require.NoError(t, err)
	assert.Equal(t, "fine", out)

	_, err = d.Exec(t.Context(), "n", "sh", "-c", "exit 3")
	var failed *run.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, 3, failed.Code)
	require.EqualError(t, err, "docker exec n sh -c exit 3: exit status 3: the reason why")

	for name, why := range map[string]string{"gone": "No such container: gone", "ended": "Container ended is not running"} {
		_, err = d.Exec(t.Context(), name, "true")
		var refused *engine.Refusal
		require.ErrorAs(t, err, &refused)
		require.EqualError(t, err, "docker exec "+name+" true: Error response from daemon: "+why)
	}
}

func TestACommandInAContainerReadsItsInputToTheEnd(t *testing.T) {
	fake := (&run.Fake{}).OnFunc("docker exec -i --env A=b n cat", func(c run.Cmd) (string, error) {
		raw, err := io.ReadAll(c.Stdin)
		return string(raw), err
	})
	for name, d := range map[string]*engine.Docker{"a connection": dockertest.New(t, fake), "through the client": throughClient(t, fake)} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat("many words ", 10000)
			out, err := d.ExecCommand(t.Context(), "n", engine.Command{Args: []string{"cat"}, Env: []string{"A=b"}, Stdin: strings.NewReader(text)})
			require.NoError(t, err)
			assert.Equal(t, text, out)
		})
	}
}

// throughClient finds an engine that only the docker client knows how to reach.
func throughClient(t *testing.T, fake *run.Fake) *engine.Docker {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/docker", nil, 0o755))
	t.Setenv("PATH", dir)
	t.Setenv("DOCKER_HOST", "ssh://me@build")
	fake.On(dir+"/docker version", `{"Client":{"Version":"20.10.24"},"Server":{"Version":"20.10.24"}}`, nil)
	dockertest.DialStdio(t, fake, dir+"/docker")
	d, err := engine.Find(t.Context(), fake)
	require.NoError(t, err)
	return d
}

func TestAnEngineThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dockertest.New(t, hanging{})
		for name, ask := range map[string]func() error{
			"a question": func() error { return d.Restart(t.Context(), "n") },
			"a command":  func() error { _, err := d.Exec(t.Context(), "n", "true"); return err },
		} {
			start := time.Now()
			err := ask()
			require.ErrorIs(t, err, engine.ErrNotRunning, name)
			require.ErrorContains(t, err, "nothing came within 2m0s", name)
			assert.Equal(t, 2*time.Minute, time.Since(start), name)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := d.Exec(ctx, "n", "true")
		require.ErrorIs(t, err, context.DeadlineExceeded, "the run's own end is no fault of the engine's")
	})
}

// hanging is an engine that takes every question and answers none.
type hanging struct{}

func (hanging) Run(ctx context.Context, c run.Cmd) (run.Result, error) {
	<-ctx.Done()
	return run.Result{}, &run.Error{Cmd: c.String(), Code: -1, Err: ctx.Err()}
}

func TestNoContainerIsNoFailure(t *testing.T) {
	d := dockertest.New(t, (&run.Fake{}).On("docker container inspect", "", errors.New("Error: No such container: n")))
	c, err := d.Container(t.Context(), "n")
	require.NoError(t, err)
	assert.Nil(t, c)
	d = dockertest.New(t, (&run.Fake{}).On("docker container inspect", "", errors.New("Cannot connect to the Docker daemon")))
	_, err = d.Container(t.Context(), "n")
	require.ErrorIs(t, engine.Explain(err), engine.ErrNotRunning)
}

func TestWhatAnEngineTellsNamesNoSecret(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho the password is hunter2-hunter2 >&2\nexit 1\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "docker"), []byte(script), 0o755))
	d := dockertest.New(t, run.Exec{Hide: []string{"hunter2-hunter2"}})
	d.CLI = filepath.Join(dir, "docker")
	require.EqualError(t, d.Start(t.Context(), "n"), "docker start n: Error response from daemon: the password is [hidden]")
	_, err := d.Exec(t.Context(), "n", "true")
	require.ErrorContains(t, err, "the password is [hidden]")
}

// A push goes with the credentials that docker login left for the registry, and with no others.
func TestAPushHasTheCredentialsOfDockerLogin(t *testing.T) {
	var sent []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/push") {
			raw, err := base64.URLEncoding.DecodeString(r.Header.Get("X-Registry-Auth"))
			assert.NoError(t, err)
			sent = append(sent, string(raw))
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte("me:hunter2"))
	require.NoError(t, os.WriteFile(dir+"/config.json", []byte(`{"auths":{"registry.example.com":{"auth":"`+auth+`"}}}`), 0o600))
	require.NoError(t, os.WriteFile(dir+"/docker", nil, 0o755))
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("PATH", dir)
	t.Setenv("DOCKER_HOST", strings.Replace(server.URL, "http", "tcp", 1))
	fake := (&run.Fake{}).On(dir+"/docker version", `{"Client":{"Version":"20.10.24"},"Server":{"Version":"20.10.24"}}`, nil)
	d, err := engine.Find(t.Context(), fake)
	require.NoError(t, err)
	for _, ref := range []string{"registry.example.com/a:1", "127.0.0.1:5000/a:1"} {
		_, err := d.Push(t.Context(), ref, func(string) {})
		require.NoError(t, err)
	}
	require.Len(t, sent, 2)
	assert.Contains(t, sent[0], `"username":"me","password":"hunter2"`)
	assert.Equal(t, "{}", sent[1], "an engine before 23 refuses a push that says nothing of a login")
}
