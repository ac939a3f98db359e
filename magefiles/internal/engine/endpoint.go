package engine

import (
	"context"
	"encoding/json"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"todo.local/magefiles/internal/run"
)

// Endpoint is where docker clients reach their engine.
type Endpoint struct {
	Host   string // such as ssh://build.example.com; empty for the usual socket of this machine, and where it is not known
	Source string // what names it: DOCKER_HOST or a context; empty where nothing does
}

// FindEndpoint resolves the endpoint as docker clients do. It starts a process only where a context names the endpoint.
func FindEndpoint(ctx context.Context, r run.Runner) Endpoint {
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		return Endpoint{host, "DOCKER_HOST"}
	}
	name := os.Getenv("DOCKER_CONTEXT")
	if name == "" {
		name = currentContext()
	}
	paths := clients(os.Getenv("PATH"))
	if name == "" || name == "default" || len(paths) == 0 {
		return Endpoint{}
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	// Where this fails every other command does, and says why.
	host, _ := run.Output(ctx, r, paths[0], "context", "inspect", "--format", "{{.Endpoints.docker.Host}}", name)
	return Endpoint{host, "the docker context " + name}
}

// Leave is what a person does to have the usual engine of this machine instead.
func (e Endpoint) Leave() string {
	if e.Source == "DOCKER_HOST" {
		return "unset DOCKER_HOST"
	}
	return "unset DOCKER_CONTEXT and run `docker context use default`"
}

// currentContext is the context that the client's configuration names.
func currentContext() string {
	dir := os.Getenv("DOCKER_CONFIG")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".docker")
	}
	var c struct {
		CurrentContext string `json:"currentContext"`
	}
	raw, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return ""
	}
	return c.CurrentContext
}

// Place tells on which machine an engine is, as far as its endpoint says.
type Place int

// Places of an engine.
const (
	OnThisMachine    Place = iota
	BehindLoopback         // this machine's, or another's at the end of a tunnel
	OnAnotherMachine       // one that has a name or an address
)

// Place reads the endpoint. A socket counts as this machine's: that of a virtual machine forwards ports and folders.
func (e Endpoint) Place() Place {
	host := e.Host
	if host == "" {
		return OnThisMachine
	}
	if !strings.Contains(host, "://") {
		host = "tcp://" + host
	}
	u, err := url.Parse(host)
	if err != nil {
		return OnAnotherMachine
	}
	switch u.Scheme {
	case "unix", "npipe", "fd":
		return OnThisMachine
	}
	name := u.Hostname()
	if name == "" || name == "localhost" || net.ParseIP(name).IsLoopback() {
		return BehindLoopback
	}
	return OnAnotherMachine
}
