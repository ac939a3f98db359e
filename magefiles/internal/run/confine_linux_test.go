package run

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// system is what a shell needs.
var system = []string{"/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"}

func confined(t *testing.T, c Confinement, script string) (string, error) {
	t.Helper()
	if !Confines() {
		t.Skip("this kernel cannot confine a process")
	}
	c.Read = append(c.Read, system...)
	res, err := Exec{}.Run(t.Context(), Cmd{Name: "bash", Args: []string{"-c", script}, Bare: true, Env: []string{"PATH=/usr/bin:/bin", "GIVEN=yes"}, Confine: &c})
	return res.Stdout, err
}

func TestConfinedProcessesReachWhatIsNamed(t *testing.T) {
	home, work := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, "key"), []byte("a secret"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(work, "given"), []byte("no secret"), 0o600))
	out, err := confined(t, Confinement{Write: []string{work}}, "cd "+work+"; cat given; echo more >new; mkdir a; cat new")
	require.NoError(t, err)
	assert.Equal(t, "no secretmore\n", out)

	for _, script := range []string{
		"cat " + home + "/key", "ls " + home, "echo x >" + home + "/new", "rm " + home + "/key", "cat /proc/self/environ", "ln " + home + "/key " + work + "/key",
		"sh -c 'cat " + home + "/key'", "mv " + work + "/given " + home,
	} {
		out, err := confined(t, Confinement{Write: []string{work}}, script)
		assert.Error(t, err, script)
		assert.NotContains(t, out, "a secret")
	}
	raw, err := os.ReadFile(filepath.Join(home, "key"))
	require.NoError(t, err, "this process is as free as before")
	assert.Equal(t, "a secret", string(raw))
	_, err = confined(t, Confinement{Read: []string{home, "/no/such/path"}}, "cat "+home+"/key && ! touch "+home+"/new")
	assert.NoError(t, err)
}

func TestConfinedProcessesConnectToTheNamedPorts(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	port := l.Addr().(*net.TCPAddr).Port
	script := "exec 3<>/dev/tcp/127.0.0.1/" + strconv.Itoa(port)
	_, err = confined(t, Confinement{Ports: []int{port}}, script)
	assert.NoError(t, err)
	_, err = confined(t, Confinement{Ports: []int{1}}, script)
	assert.ErrorContains(t, err, "Permission denied")
}

func TestBareEnvironment(t *testing.T) {
	t.Setenv("NOT_GIVEN", "no")
	out, err := confined(t, Confinement{}, `echo "$GIVEN,$NOT_GIVEN"`)
	require.NoError(t, err)
	assert.Equal(t, "yes,\n", out)
}
