package devtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/deploy"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// composeStart is how long the containers may take to be healthy.
const composeStart = 2 * time.Minute

// Images runs the application from compose.yaml, without Kubernetes, and looks at how its containers run.
func Images(ctx context.Context, base session.Session) error {
	s, err := base.OpenSource(ctx)
	if err != nil {
		return err
	}
	made, err := deploy.ForEngine(ctx, s)
	if err != nil {
		return err
	}
	return s.UI.Do("Containers", func(t *ui.Task) error { return testCompose(ctx, s, t, made) })
}

func testCompose(ctx context.Context, s session.Source, t *ui.Task, made deploy.Application) error {
	services := app.Built()
	ports, err := freePorts(ctx, len(services))
	if err != nil {
		return err
	}
	c := composition{session: s.Engine, env: []string{
		"COMPOSE_PROJECT_NAME=" + s.Config.ClusterName + "-images-test",
		"POSTGRES_PASSWORD=" + rand.Text(), "JWT_SECRET=" + rand.Text() + rand.Text(),
	}}
	for name, ref := range made {
		c.env = append(c.env, app.ComposeVariable(name, "IMAGE")+"="+ref)
	}
	var urls []string
	for i, service := range services {
		c.env = append(c.env, app.ComposeVariable(service.Name, "PORT")+"="+ports[i])
		at := "http://" + net.JoinHostPort(cluster.Loopback, ports[i])
		urls = append(urls, at+service.Probes.Liveness, at+service.Probes.Readiness)
		if service.Name == app.Frontend.Name {
			urls = append(urls, at+"/api/openapi.json") // the backend, by way of the frontend
		}
	}
	c.down(ctx) // a run that was killed may have left them
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		c.down(ctx)
	}()
	if _, err := c.run(ctx, t, "up", "--detach", "--no-build", "--wait", "--wait-timeout", fmt.Sprint(int(composeStart.Seconds()))); err != nil {
		logs, _ := c.run(ctx, nil, "logs", "--tail", "20", "--no-color")
		return fault.Wrap(err, fault.CodeFailed, "the containers of compose.yaml did not become healthy", "their last lines:\n"+logs)
	}
	if err := c.hardened(ctx); err != nil {
		return err
	}
	for _, url := range urls {
		if err := answers(ctx, url); err != nil {
			return err
		}
	}
	t.Result("healthy, not root, read-only root")
	return nil
}

// composition is one project of docker compose.
type composition struct {
	session session.Engine
	env     []string // secrets among it: none goes into a command line
}

func (c composition) run(ctx context.Context, t *ui.Task, args ...string) (string, error) {
	cmd := run.Cmd{Args: append([]string{"compose", "--progress", "plain"}, args...), Dir: c.session.Config.Root, Env: c.env, Grace: 30 * time.Second}
	if t != nil {
		cmd.Line = t.Line
	}
	res, err := c.session.Docker.Run(ctx, cmd)
	return res.Stdout, err
}

func (c composition) down(ctx context.Context) {
	_, _ = c.run(ctx, nil, "down", "--volumes", "--remove-orphans", "--timeout", "5")
}

// hardened checks what the engine says of every container that runs: which user, and whether its files can be written.
func (c composition) hardened(ctx context.Context) error {
	out, err := c.run(ctx, nil, "ps", "--quiet")
	if err != nil {
		return err
	}
	ids := strings.Fields(out)
	if want := len(app.All()); len(ids) != want {
		return fault.New(fault.CodeFailed, fmt.Sprintf("%d containers run, not %d", len(ids), want), "docker compose ps shows which")
	}
	for _, id := range ids {
		found, err := c.session.Docker.Container(ctx, id)
		if err != nil || found == nil {
			return errors.Join(fmt.Errorf("container %s is gone", id), err)
		}
		// Docker's own word for it may be a name, so the process itself is asked.
		uid, err := c.session.Docker.Exec(ctx, id, "id", "-u")
		if err != nil {
			return err
		}
		if uid == "0" || !found.HostConfig.ReadonlyRootfs || len(found.HostConfig.CapDrop) == 0 {
			return fault.New(fault.CodeFailed, fmt.Sprintf("container %s runs as user %s, read-only root: %t, capabilities dropped: %v",
				found.Name, uid, found.HostConfig.ReadonlyRootfs, found.HostConfig.CapDrop), "correct compose.yaml or the image")
		}
	}
	return nil
}

// answers asks for a page that must be there.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fault.Wrap(err, fault.CodeFailed, url+" does not answer", "docker compose logs shows why")
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fault.New(fault.CodeFailed, url+" answers "+res.Status, "docker compose logs shows why")
	}
	return nil
}

// freePorts gives ports of 127.0.0.1 where nothing listens.
func freePorts(ctx context.Context, n int) ([]string, error) {
	var ports []string
	for range n {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }() // all at the end, so that no port is given twice
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}
