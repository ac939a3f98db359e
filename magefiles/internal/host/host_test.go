package host

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	allCaps    = "000001ffffffffff"
	noResource = "000001fffeffffff"
)

// machine lays out files under a temporary root.
func machine(t *testing.T, files map[string]string) Host {
	t.Helper()
	h := Host{Root: t.TempDir()}
	for rel, content := range files {
		require.NoError(t, h.WriteFile(rel, []byte(content), 0o644))
	}
	return h
}

// process adds a process to the files of a machine.
func process(files map[string]string, pid, comm, state, capBnd string) map[string]string {
	files["proc/"+pid+"/comm"] = comm + "\n"
	files["proc/"+pid+"/stat"] = fmt.Sprintf("%s (%s) %s 1 1", pid, comm, state)
	files["proc/"+pid+"/status"] = "Name:\t" + comm + "\nCapBnd:\t" + capBnd + "\n"
	return files
}

func TestDistribution(t *testing.T) {
	ubuntu := machine(t, map[string]string{"etc/os-release": "PRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\nID=ubuntu\nID_LIKE=debian\n"}).Distribution()
	assert.True(t, ubuntu.Is("debian"))
	assert.Equal(t, "Ubuntu 24.04.1 LTS", ubuntu.Name)

	rocky := machine(t, map[string]string{"etc/os-release": "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"}).Distribution()
	assert.True(t, rocky.Is("fedora"))
	assert.False(t, rocky.Is("debian", "ubuntu"))

	assert.False(t, machine(t, nil).Distribution().Is("debian", "ubuntu"))
}

func TestEngineCapabilities(t *testing.T) {
	dockerd := func(caps string) Host {
		return machine(t, process(map[string]string{"run/docker.pid": "42"}, "42", "dockerd", "S", caps))
	}
	assert.True(t, dockerd(noResource).EngineLacksSysResource())
	assert.False(t, dockerd(allCaps).EngineLacksSysResource())

	// In a container with a socket handed in, this process has few capabilities. That says nothing of the engine's.
	elsewhere := machine(t, process(map[string]string{}, "self", "mage", "S", "00000000a80425fb"))
	assert.False(t, elsewhere.EngineLacksSysResource())
	assert.True(t, elsewhere.LacksSysResource("self"))
}

func TestEnginePIDIgnoresAStalePidFile(t *testing.T) {
	reused := machine(t, process(map[string]string{"run/docker.pid": "42"}, "42", "bash", "S", allCaps))
	assert.Zero(t, reused.EnginePID())
	ended := machine(t, process(map[string]string{"run/docker.pid": "42"}, "42", "dockerd", "Z", allCaps))
	assert.Zero(t, ended.EnginePID(), "it ended, nobody has collected it")
	assert.Zero(t, machine(t, map[string]string{"run/docker.pid": "42"}).EnginePID())
}

func TestLimits(t *testing.T) {
	l := machine(t, map[string]string{"proc/sys/fs/inotify/max_user_instances": "128\n"}).Limits()
	require.Len(t, l, 2)
	assert.True(t, l[0].Low())
	assert.Equal(t, 128, l[0].Value)
	assert.False(t, l[1].Low(), "a kernel without the limit cannot have it too low")
}

func TestPickPort(t *testing.T) {
	listen := func() (int, net.Listener) {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		return l.Addr().(*net.TCPAddr).Port, l
	}
	taken, l := listen()
	defer func() { _ = l.Close() }()
	free, f := listen()
	require.NoError(t, f.Close())

	port, holder, err := PickPort(t.Context(), free, taken, 1)
	require.NoError(t, err)
	assert.Equal(t, free, port)
	assert.Empty(t, holder)

	port, holder, err = PickPort(t.Context(), taken, free, 1)
	require.NoError(t, err)
	assert.Equal(t, free, port)
	if _, statErr := os.Stat("/proc/net/tcp"); statErr == nil {
		assert.Contains(t, holder, fmt.Sprintf("(pid %d)", os.Getpid()))
	}

	_, _, err = PickPort(t.Context(), taken, taken, 1)
	require.ErrorContains(t, err, fmt.Sprintf("port %d is taken", taken))
}

func TestPickPortForAnEngineThatMayNotUseAll(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	free := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())

	port, _, err := PickPort(t.Context(), 80, free, 1024)
	require.NoError(t, err)
	assert.Equal(t, free, port, "whether 80 is free does not matter")
	port, _, err = PickPort(t.Context(), free, free, free+1)
	require.NoError(t, err)
	assert.Equal(t, free, port, "what was asked for is the engine's to refuse: it may have been given the right by other means")
}

func TestLowestPort(t *testing.T) {
	const limit = "proc/sys/net/ipv4/ip_unprivileged_port_start"
	for _, x := range []struct {
		name     string
		rootless bool
		files    map[string]string
		want     int
	}{
		{"an engine of root's", false, map[string]string{limit: "1024\n"}, 1},
		{"rootless", true, map[string]string{limit: "1024\n"}, 1024},
		{"rootless, on a system that was told to allow it", true, map[string]string{limit: "80\n"}, 80},
		{"rootless, on a system that does not tell", true, nil, 1024},
	} {
		assert.Equal(t, x.want, machine(t, x.files).LowestPort(x.rootless), x.name)
	}
}

func TestPortHolderReadsBothFamiliesAndOnlyListeners(t *testing.T) {
	const header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	row := func(local, state, inode string) string {
		return fmt.Sprintf("   0: %s 00000000:0000 %s 00000000:00000000 00:00000000 00000000     0        0 %s 1\n", local, state, inode)
	}
	h := machine(t, process(map[string]string{
		"proc/net/tcp": header +
			row("0100007F:0050", "01", "100") + // port 80, a connection
			row("0A01A8C0:0050", "0A", "101") + // port 80 of another address
			row("00000000:1F90", "0A", "102"), // port 8080 of all addresses
		"proc/net/tcp6": header + row("00000000000000000000000000000000:01BB", "0A", "103"),
	}, "812", "nginx", "S", allCaps))
	require.NoError(t, os.MkdirAll(filepath.Join(h.Root, "proc/812/fd"), 0o755))
	for fd, inode := range []string{"100", "101", "102", "103"} {
		require.NoError(t, os.Symlink("socket:["+inode+"]", filepath.Join(h.Root, "proc/812/fd", fmt.Sprint(fd))))
	}
	assert.Empty(t, h.PortHolder(80))
	assert.Equal(t, "nginx (pid 812)", h.PortHolder(8080))
	assert.Equal(t, "nginx (pid 812)", h.PortHolder(443))
}
