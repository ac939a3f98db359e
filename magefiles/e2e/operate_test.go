//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/secrets"
)

// history goes back to the version before and forward again, as a person does.
func history(t *testing.T, project checkout) {
	d := running(t)
	now := d.revision(t)
	image := func() string { return d.image(t, "todo-backend") }

	changed := copyOf(t, project)
	appendTo(t, changed, "backend/src/main.py", "\n# a version to go back from\n")
	r := project.mage(t, nil, "release:diff")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "deploy would change nothing")
	r = changed.mage(t, nil, "release:diff")
	require.Zero(t, r.code)
	assert.Regexp(t, `(?m)^- +image: `+image()+`$`, r.output, "of the backend's image, the old one")
	assert.NotContains(t, r.output, "Service/", "what does not change")

	before := image()
	require.Zero(t, changed.mage(t, nil, "deploy").code)
	require.NotEqual(t, before, image())
	require.Zero(t, project.mage(t, nil, "release:rollback").code)
	assert.Equal(t, before, image())
	r = project.mage(t, nil, "release:history")
	require.Zero(t, r.code)
	assert.Regexp(t, strconv.Itoa(now+2)+` +\S+ +deployed +yes +Rollback to `+strconv.Itoa(now), r.output)

	require.Zero(t, project.mage(t, nil, "release:rollback", "-revision="+strconv.Itoa(now+1)).code)
	assert.NotEqual(t, before, image(), "the revision that was named")
	r = project.mage(t, nil, "release:rollback", "-revision=4711")
	assert.Equal(t, fault.CodeInput, r.code)
	assert.Contains(t, r.output, "4711")
	require.Zero(t, project.mage(t, nil, "deploy").code)
	assert.Equal(t, before, image())
}

// observation looks at the running application with every target that does.
func observation(t *testing.T, project checkout) {
	d := running(t)
	r := project.mage(t, nil, "logs", "-service=backend")
	require.Zero(t, r.code)
	for _, pod := range d.names(t, "todo-backend") {
		assert.Regexp(t, pod+`  \d\d:\d\d:\d\d\.\d{3} INFO .*path=/`, r.output)
	}
	for _, pod := range d.names(t, "todo-frontend") {
		assert.NotContains(t, r.output, pod)
	}
	r = project.mage(t, nil, "logs")
	require.Zero(t, r.code)
	for _, pod := range append(d.names(t, "todo-backend"), d.names(t, "todo-frontend")...) {
		assert.Contains(t, r.output, "\n"+pod+"  ", "both services, each line with its pod")
	}
	assert.NotContains(t, r.output, "postgres-0  ")
	r = project.mage(t, nil, "logs", "-service=nothing")
	assert.Equal(t, fault.CodeInput, r.code)
	assert.Contains(t, r.output, "backend, frontend, postgres", "it says what there is")

	// Pods are measured every 15 s, and told of after the second time.
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		r := project.mage(t, nil, "top")
		assert.Zero(c, r.code)
		assert.Regexp(c, `backend-\S+ +backend +\d+m +2000m +\d+Mi +512Mi`, r.output)
	}, 2*time.Minute, 5*time.Second)
	limited(t, d)

	r = project.mage(t, nil, "events")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "pod/"+d.names(t, "todo-backend")[0])

	r = project.mage(t, nil, "shell", "backend", "-command=id -u; touch /app/x")
	assert.Equal(t, fault.CodeFailed, r.code, "the root is read-only")
	assert.Contains(t, r.output, "10001")

	passwordReset(t, project, d)
	followed(t, project, d)
	forwarded(t, project)
}

// passwordReset has somebody log in with a password that was set with an operator's code, which counts once.
func passwordReset(t *testing.T, project checkout, d *deployment) {
	t.Helper()
	u := d.register(t, "forgetful@example.com")
	r := project.mage(t, nil, "account:reset", "-email=nobody@example.com")
	assert.Equal(t, fault.CodeFailed, r.code)
	assert.Contains(t, r.output, "there is no account with this e-mail address")
	r = project.mage(t, nil, "account:reset", "-email="+u.email)
	require.Zero(t, r.code)
	code := regexp.MustCompile(`(?m)^[0-9A-Z]+(-[0-9A-Z]+)+$`).FindString(r.output)
	require.NotEmpty(t, code)
	u.password = "staple of the horse"
	given := map[string]string{"email": u.email, "code": code, "password": u.password}
	require.NoError(t, u.do(t.Context(), http.MethodPost, "/api/auth/reset", given, http.StatusNoContent, nil))
	d.login(t, u)
	require.NoError(t, u.do(t.Context(), http.MethodPost, "/api/auth/reset", given, http.StatusForbidden, nil))
}

// byItself calls the targets as people do who have installed mage, without go tool.
func byItself(t *testing.T, project checkout) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // mage compiles the targets where it has not yet
	defer cancel()
	output := func(program string, args ...string) string {
		res, err := run.Exec{}.Run(ctx, run.Cmd{Name: program, Args: args, Dir: project.dir})
		require.NoError(t, err)
		return res.Stdout
	}
	mage := strings.TrimSpace(output("go", "tool", "-n", "mage"))
	assert.Contains(t, output(mage, "status"), running(t).names(t, "todo-backend")[0])
	list := output(mage, "-l")
	for _, target := range []string{"deploy", "teardown", "test:e2e"} {
		assert.Regexp(t, `(?m)^  `+target+` `, list)
	}
}

// followed sees a request in the logs while it follows them.
func followed(t *testing.T, project checkout, d *deployment) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	read, write := io.Pipe()
	cmd := project.command(ctx, write, nil, "logs", "-follow", "-service=backend")
	require.NoError(t, cmd.Start())
	go func() {
		_ = cmd.Wait()
		_ = write.Close()
	}()
	stop := time.AfterFunc(30*time.Second, cancel)
	defer stop.Stop()
	asked := false
	var seen bytes.Buffer
	buffer := make([]byte, 4096)
	for !strings.Contains(seen.String(), "/api/marker-of-this-test") {
		n, err := read.Read(buffer)
		seen.Write(buffer[:n])
		require.NoError(t, err, seen.String())
		if !asked {
			asked = true
			_, err := get(t.Context(), d.browser(), "http://todo.localhost/api/marker-of-this-test")
			require.NoError(t, err)
		}
	}
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
	_, _ = io.Copy(io.Discard, read) // until it has ended
}

// forwarded reaches a backend pod without the ingress, on loopback only.
func forwarded(t *testing.T, project checkout) {
	port := strings.TrimPrefix(freeAddr(t), "127.0.0.1:")
	cmd := project.command(t.Context(), io.Discard, nil, "portForward", "backend", "-port="+port)
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		res, err := get(t.Context(), http.DefaultClient, "http://127.0.0.1:"+port+"/health")
		if assert.NoError(c, err) {
			assert.Equal(c, http.StatusOK, res.StatusCode)
		}
	}, 30*time.Second, 200*time.Millisecond)
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the target did not end")
	}
}

// scaling takes the backend out of service and back by hand.
func scaling(t *testing.T, project checkout) {
	d := running(t)
	require.Zero(t, project.mage(t, nil, "scale", "backend", "3").code)
	assert.Len(t, d.names(t, "todo-backend"), 3)
	require.Zero(t, project.mage(t, nil, "scale", "backend", "0").code)
	assert.Empty(t, d.names(t, "todo-backend"))
	assert.Equal(t, fault.CodeInput, project.mage(t, nil, "scale", "backend", "1000").code)
	r := project.mage(t, nil, "deploy")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "changed by other means")
	assert.Len(t, d.names(t, "todo-backend"), 2)
}

// rotation gives the application new secrets: sessions end, accounts and tasks stay.
func rotation(t *testing.T, project checkout, alice *user) {
	d := running(t)
	read := func() map[string][]byte {
		s, err := d.client.CoreV1().Secrets(d.cfg.Namespace).Get(t.Context(), secrets.Name, metav1.GetOptions{})
		require.NoError(t, err)
		assert.Empty(t, s.Annotations["todo.local/password-pending"])
		return s.Data
	}
	before := read()
	r := project.mage(t, nil, "secrets:rotate")
	require.Zero(t, r.code)
	after := read()
	for _, key := range []string{secrets.JWTSecret, secrets.PostgresPassword, secrets.DatabaseURL} {
		assert.NotEqual(t, before[key], after[key], key)
		assert.NotContains(t, r.output, string(after[key]))
	}
	require.Error(t, alice.do(t.Context(), http.MethodGet, "/api/tasks", nil, http.StatusOK, nil), "the session has ended")
	d.login(t, alice)
	assert.Equal(t, []string{"written on the first day"}, alice.titles(t))
	noSecretAnywhere(t, project, d, after)
}
