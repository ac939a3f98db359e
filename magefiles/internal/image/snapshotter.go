package image

import (
	"context"
	"errors"
	"regexp"

	"github.com/BurntSushi/toml"

	"todo.local/magefiles/internal/fault"
)

// containerdConfig is what a node's containerd says of its configuration, as far as it names the snapshotter of pods.
type containerdConfig struct {
	Plugins struct {
		Images struct { // from version 3 of the configuration on
			Snapshotter string `toml:"snapshotter"`
		} `toml:"io.containerd.cri.v1.images"`
		CRI struct { // before
			Containerd struct {
				Snapshotter string `toml:"snapshotter"`
			} `toml:"containerd"`
		} `toml:"io.containerd.grpc.v1.cri"`
	} `toml:"plugins"`
}

var snapshotterName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// snapshotter is where the node's pods look for unpacked layers. It is not the usual one on ZFS and in a user
// namespace, and ctr does not read containerd's configuration.
func (n *Node) snapshotter(ctx context.Context) (string, error) {
	dump, err := n.Docker.Exec(ctx, n.Container, "containerd", "config", "dump")
	var c containerdConfig
	if err == nil {
		_, err = toml.Decode(dump, &c)
	}
	name := c.Plugins.Images.Snapshotter
	if name == "" {
		name = c.Plugins.CRI.Containerd.Snapshotter
	}
	if err == nil && !snapshotterName.MatchString(name) {
		err = errors.New("none is named in its configuration")
	}
	return name, fault.Wrap(err, fault.CodeCluster, "the snapshotter of node "+n.Container+" is not known", "run: go tool mage cluster:up")
}

// usualSnapshotter is the one that ctr and the transfer service behind it take by themselves.
const usualSnapshotter = "overlayfs"

// unpackingInto gives the options with which ctr imports for a snapshotter. The transfer service is configured for the
// usual one alone, and says of any other that there are "no unpack platforms defined".
func unpackingInto(snapshotter string) string {
	if snapshotter == usualSnapshotter {
		return ""
	}
	return "--local --snapshotter " + snapshotter + " "
}
