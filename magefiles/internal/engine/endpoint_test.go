package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/run"
)

func TestEndpointIsFoundAsTheClientFindsIt(t *testing.T) {
	for _, x := range []struct {
		name, host, context, config string
		want                        Endpoint
		asked                       bool // whether a process had to be started for it
	}{
		{name: "the usual socket"},
		{name: "an empty configuration", config: "{}"},
		{name: "a broken one is the client's to report", config: "{"},
		{name: "DOCKER_HOST", host: "tcp://192.0.2.1:2376", want: Endpoint{"tcp://192.0.2.1:2376", "DOCKER_HOST"}},
		{name: "it goes before all contexts", host: "unix:///x.sock", context: "farm", config: `{"currentContext":"farm"}`, want: Endpoint{"unix:///x.sock", "DOCKER_HOST"}},
		{name: "DOCKER_CONTEXT", context: "farm", want: Endpoint{"ssh://of-farm", "the docker context farm"}, asked: true},
		{name: "it goes before the current context", context: "farm", config: `{"currentContext":"other"}`, want: Endpoint{"ssh://of-farm", "the docker context farm"}, asked: true},
		{name: "the current context", config: `{"currentContext":"farm"}`, want: Endpoint{"ssh://of-farm", "the docker context farm"}, asked: true},
		{name: "back to the default one", context: "default", config: `{"currentContext":"farm"}`},
		{name: "a context that there is not", context: "gone", want: Endpoint{"", "the docker context gone"}, asked: true},
	} {
		t.Run(x.name, func(t *testing.T) {
			bin, dir := t.TempDir(), t.TempDir()
			docker := program(t, bin+"/docker")
			onPath(t, bin)
			t.Setenv("DOCKER_HOST", x.host)
			t.Setenv("DOCKER_CONTEXT", x.context)
			t.Setenv("DOCKER_CONFIG", dir)
			if x.config != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(x.config), 0o644))
			}
			fake := (&run.Fake{}).On(docker+" context inspect", "", errors.New("exit status 1")).
				On(docker+" context inspect --format {{.Endpoints.docker.Host}} farm", "ssh://of-farm\n", nil)
			assert.Equal(t, x.want, FindEndpoint(t.Context(), fake))
			assert.Equal(t, x.asked, len(fake.Calls()) > 0, fake.Calls())
		})
	}
}

func TestEndpointsOnOtherMachines(t *testing.T) {
	for host, want := range map[string]Place{
		"": OnThisMachine, "unix:///run/user/1000/docker.sock": OnThisMachine, "npipe:////./pipe/docker_engine": OnThisMachine, "fd://": OnThisMachine,
		"tcp://127.0.0.1:2375": BehindLoopback, "tcp://[::1]:2375": BehindLoopback, "tcp://localhost:2375": BehindLoopback, "127.0.0.1:2375": BehindLoopback,
		"ssh://localhost": BehindLoopback, "tcp://:2375": BehindLoopback,
		"tcp://192.0.2.1:2376": OnAnotherMachine, "tcp://docker:2375": OnAnotherMachine, "https://engine.example.com": OnAnotherMachine, "192.0.2.1:2375": OnAnotherMachine,
		"ssh://me@build.example.com": OnAnotherMachine, "ssh://build": OnAnotherMachine,
	} {
		assert.Equal(t, want, Endpoint{Host: host}.Place(), host)
	}
}
