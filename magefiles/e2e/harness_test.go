//go:build e2e || bench || soak || worlds || engines

// Package e2e calls the targets as a user does, on a real cluster of its own, and looks at what they leave behind.
package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/release"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// checkout is a working copy of the project that targets are called in.
type checkout struct {
	dir string
	as  *account // who calls them; whoever runs the tests where nil
}

// account is another user of this machine.
type account struct {
	targets    string // a copy of the targets that the user may run
	credential *syscall.Credential
	env        []string
}

// here is the checkout that the tests belong to.
func here(t *testing.T) checkout {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	return checkout{dir: dir}
}

// copyOf is a second checkout with the files that git would take, for tests that change sources.
func copyOf(t *testing.T, from checkout) checkout {
	t.Helper()
	list, err := run.Exec{}.Run(t.Context(), run.Cmd{Name: "git", Args: []string{"ls-files", "-z", "--cached", "--others", "--exclude-standard"}, Dir: from.dir})
	require.NoError(t, err)
	to := checkout{dir: t.TempDir()}
	for name := range strings.SplitSeq(strings.TrimRight(list.Stdout, "\x00"), "\x00") {
		raw, err := os.ReadFile(filepath.Join(from.dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, and not yet committed so
		}
		require.NoError(t, err)
		info, err := os.Stat(filepath.Join(from.dir, name))
		require.NoError(t, err)
		path := filepath.Join(to.dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, raw, info.Mode().Perm()))
	}
	return to
}

// appendTo adds text to the end of a file of the checkout.
func appendTo(t *testing.T, c checkout, name, text string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(c.dir, name), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, errors.Join(err, f.Close()))
}

// replace puts other text in place of one that a file of the checkout has once.
func replace(t *testing.T, c checkout, name, old, text string) {
	t.Helper()
	path := filepath.Join(c.dir, name)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(raw), old), "%s: %s", name, old)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(raw), old, text, 1)), 0o644))
}

// result is what a target printed and how it ended.
type result struct {
	output string
	code   int
	took   time.Duration
}

// mage calls targets and shows their output in the test's log.
func (c checkout) mage(t *testing.T, env []string, targets ...string) result {
	t.Helper()
	var out bytes.Buffer
	cmd := c.command(context.WithoutCancel(t.Context()), &out, env, targets...) // in a test's clean-up, too
	start := time.Now()
	err := cmd.Run()
	r := result{output: out.String(), took: time.Since(start)}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		r.code = exit.ExitCode()
	} else {
		require.NoError(t, err)
	}
	t.Logf("mage %s (%.1f s, exit code %d)\n%s", strings.Join(targets, " "), r.took.Seconds(), r.code, r.output)
	return r
}

// targetsBinary is the project's targets, compiled once: go tool mage would link them anew for every copy of the
// checkout.
var targetsBinary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "todo-e2e-")
	if err == nil {
		targetsBinary = filepath.Join(dir, "targets")
		var out []byte
		cmd := exec.CommandContext(context.Background(), "go", "tool", "mage", "-compile", targetsBinary)
		cmd.Dir = filepath.Join("..", "..")
		if out, err = cmd.CombinedOutput(); err != nil {
			err = fmt.Errorf("go tool mage -compile: %w: %s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// command is a call of targets in a process group of its own, so that a test can end it with everything below it.
func (c checkout) command(ctx context.Context, out io.Writer, env []string, targets ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, targetsBinary, targets...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.dir, out, out
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.as != nil {
		cmd.Path, cmd.SysProcAttr.Credential = c.as.targets, c.as.credential
		cmd.Env = append(cmd.Env, c.as.env...)
	}
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// deployment is the running application with the ways to look at it.
type deployment struct {
	cfg    *config.Config
	access cluster.Access
	client kubernetes.Interface
	helm   *release.Engine
}

func settings(t *testing.T) *config.Config {
	t.Helper()
	cfg, err := config.Load(here(t).dir)
	require.NoError(t, err)
	require.NotEqual(t, "todo", cfg.ClusterName, "these tests delete their cluster; set TODO_CLUSTER_NAME to another name than deploy's")
	return cfg
}

func docker(t *testing.T) *engine.Docker {
	t.Helper()
	d, err := engine.Find(t.Context(), run.Exec{})
	require.NoError(t, err)
	return d
}

// image is what the first pod of an app runs.
func (d *deployment) image(t *testing.T, app string) string {
	t.Helper()
	return d.pods(t)[d.names(t, app)[0]].Spec.Containers[0].Image
}

func running(t *testing.T) *deployment {
	t.Helper()
	return deployedWith(t, settings(t))
}

// deployedWith is what runs on the cluster that the settings name.
func deployedWith(t *testing.T, cfg *config.Config) *deployment {
	t.Helper()
	s := session.Engine{Session: session.New(cfg, ui.Plain(io.Discard)), Docker: docker(t)}
	access, err := s.ChooseProvider(t.Context()).Access(t.Context())
	require.NoError(t, err)
	client, err := access.Client()
	require.NoError(t, err)
	helm, err := release.New(access.API, cfg.Namespace)
	require.NoError(t, err)
	return &deployment{cfg, access, client, helm}
}

// pods gives the application's pods, by name. Pods on their way out do not count.
func (d *deployment) pods(t *testing.T) map[string]corev1.Pod {
	t.Helper()
	list, err := d.client.CoreV1().Pods(d.cfg.Namespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	pods := map[string]corev1.Pod{}
	for _, p := range list.Items {
		if p.DeletionTimestamp == nil {
			pods[p.Name] = p
		}
	}
	return pods
}

// names gives the names of the pods of one app, sorted by the API server.
func (d *deployment) names(t *testing.T, app string) []string {
	t.Helper()
	list, err := d.client.CoreV1().Pods(d.cfg.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=" + app})
	require.NoError(t, err)
	var names []string
	for _, p := range list.Items {
		if p.DeletionTimestamp == nil {
			names = append(names, p.Name)
		}
	}
	return names
}

func (d *deployment) revision(t *testing.T) int {
	t.Helper()
	history, err := d.helm.History(t.Context(), config.ReleaseName)
	require.NoError(t, err)
	require.NotEmpty(t, history)
	return history[len(history)-1].Revision
}

// user is somebody with an account who uses the API through the ingress.
type user struct {
	http            *http.Client
	host            string
	email, password string
	token           string
}

// browser is an HTTP client that reaches every host name through the ingress of this machine.
func (d *deployment) browser() *http.Client {
	return d.through(d.access.HTTP, nil)
}

// through is an HTTP client that reaches every host name at one address.
func (d *deployment) through(addr string, encryption *tls.Config) *http.Client {
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, addr)
	}
	return &http.Client{
		Timeout:       10 * time.Second,
		Transport:     &http.Transport{DialContext: dial, TLSClientConfig: encryption, DisableKeepAlives: encryption != nil},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (d *deployment) register(t *testing.T, email string) *user {
	t.Helper()
	return d.registerAt(t, "todo.localhost", email)
}

// registerAt makes an account of the application that the ingress has under a host name.
func (d *deployment) registerAt(t *testing.T, host, email string) *user {
	t.Helper()
	u := &user{http: d.browser(), host: host, email: email, password: "correct horse battery"}
	u.session(t, "/api/auth/register", http.StatusCreated)
	return u
}

func (d *deployment) login(t *testing.T, u *user) {
	t.Helper()
	u.http = d.browser()
	u.session(t, "/api/auth/login", http.StatusOK)
}

func (u *user) session(t *testing.T, path string, status int) {
	t.Helper()
	var answer struct {
		Token string `json:"access_token"`
	}
	u.token = ""
	require.NoError(t, u.do(t.Context(), http.MethodPost, path, map[string]string{"email": u.email, "password": u.password}, status, &answer))
	require.NotEmpty(t, answer.Token)
	u.token = answer.Token
}

func (u *user) add(t *testing.T, title string) {
	t.Helper()
	require.NoError(t, u.do(t.Context(), http.MethodPost, "/api/tasks", map[string]string{"title": title}, http.StatusCreated, nil))
}

func (u *user) titles(t *testing.T) []string {
	t.Helper()
	var page struct{ Items []struct{ Title string } }
	require.NoError(t, u.do(t.Context(), http.MethodGet, "/api/tasks", nil, http.StatusOK, &page))
	var titles []string
	for _, i := range page.Items {
		titles = append(titles, i.Title)
	}
	return titles
}

// header is that of the user's requests.
func (u *user) header() http.Header {
	h := http.Header{"Content-Type": {"application/json"}}
	if u.token != "" {
		h.Set("Authorization", "Bearer "+u.token)
	}
	return h
}

// ask sends the assistant a message. The answer is a stream of events, which the caller closes.
func (u *user) ask(t *testing.T, message string) *http.Response {
	t.Helper()
	raw, err := json.Marshal(map[string]string{"message": message})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+u.host+"/api/chat", bytes.NewReader(raw))
	require.NoError(t, err)
	req.Header = u.header()
	res, err := u.http.Do(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	return res
}

func (u *user) do(ctx context.Context, method, path string, body any, status int, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+u.host+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header = u.header()
	res, err := u.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != status {
		return fmt.Errorf("%s %s: %s: %.300s", method, path, res.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}
