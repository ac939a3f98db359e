package enginetest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/host"
	"todo.local/magefiles/internal/source/scratch"
)

const (
	socket           = "docker.sock"
	containerdSocket = "containerd.sock"
)

// containerdConfig leaves out what only Kubernetes asks of containerd.
const containerdConfig = `version = 3
root = %q
state = %q
disabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"]
[grpc]
address = %q
[ttrpc]
address = %q
`

// layOut writes the engine's folder: programs, by who needs them, and configurations.
func layOut(folder string, cfg *config.Config, c scratch.CurrentDocker) error {
	for name, path := range c.Programs {
		dir := "sbin"
		switch name {
		case "docker":
			dir = "bin"
		case "docker-buildx":
			dir = "config/cli-plugins"
		}
		dir = filepath.Join(folder, dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	containerd := filepath.Join(folder, containerdSocket)
	daemon := map[string]any{
		"hosts":               []string{"unix://" + filepath.Join(folder, socket)},
		"data-root":           filepath.Join(c.Data, "docker"),
		"exec-root":           filepath.Join(folder, "docker"),
		"pidfile":             filepath.Join(folder, "docker.pid"),
		"containerd":          containerd,
		"userland-proxy-path": filepath.Join(folder, "sbin", "docker-proxy"),
		"features":            map[string]bool{"containerd-snapshotter": true}, // as in a new installation
	}
	if host.Local.EngineLacksSysResource() {
		daemon["default-runtime"] = engine.BoundedRuntime
		daemon["runtimes"] = map[string]any{engine.BoundedRuntime: map[string]string{"path": filepath.Join(cfg.Root, "scripts", "runc-bounded")}}
	}
	raw, err := json.MarshalIndent(daemon, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "daemon.json"), raw, 0o600); err != nil {
		return err
	}
	text := fmt.Sprintf(containerdConfig, filepath.Join(c.Data, "containerd"), filepath.Join(folder, "containerd"), containerd, containerd+".ttrpc")
	return os.WriteFile(filepath.Join(folder, "containerd.toml"), []byte(text), 0o600)
}
