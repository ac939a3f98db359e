package scratch

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// debianArgs make the Debian that every image here starts from: the essential packages, apt, and the certificates; no
// manuals, no translations. usr-is-merged, with the hook that lays out the folders, stands in for a package that would
// bring all of Perl.
var debianArgs = []string{
	"--variant=apt",
	"--include=ca-certificates,usr-is-merged",
	"--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
	"--keyring=" + debianKeyring,
	"--format=tar",
	`--aptopt=Acquire::Languages "none"`,
	`--aptopt=APT::Install-Recommends "false"`,
	"--dpkgopt=path-exclude=/usr/share/man/*",
	"--dpkgopt=path-exclude=/usr/share/info/*",
	"--dpkgopt=path-exclude=/usr/share/locale/*",
	"--dpkgopt=path-exclude=/usr/share/doc/*",
	"--dpkgopt=path-include=/usr/share/doc/*/copyright",
	`--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname" "$1"/var/log/*.log "$1"/var/cache/apt/*.bin`,
}

// debian gives the Debian image, making it where the engine lacks it. mmdebstrap checks every package by Debian's own
// signatures and tidies up after itself, also when it is interrupted.
func (s *Source) debian(ctx context.Context, t *ui.Task) (string, error) {
	i := s.debianImage()
	unlock, err := s.store.lock(ctx, t, i.repo)
	if err != nil {
		return "", err
	}
	defer unlock()
	if found, err := s.docker.Images(ctx, i.String()); err != nil || len(found) == 1 {
		return i.String(), err
	}
	return i.String(), t.Do(i.short(), func(t *ui.Task) error {
		dir, remove, err := s.store.temp("debian")
		if err != nil {
			return err
		}
		defer remove()
		tarball := filepath.Join(dir, "root.tar")
		args := append(append([]string{}, debianArgs...), s.pins.Debian.Suite, tarball)
		args = append(args, s.mirrors(ctx)...)
		err = s.logged(t, i.repo, i.short()+" did not build", func(line func(string)) error {
			_, err := s.run.Run(ctx, run.Cmd{Name: "mmdebstrap", Args: args, Env: append(s.aptProxy(ctx), "TMPDIR="+dir), Line: line})
			return err
		})
		if err != nil {
			return err
		}
		t.Status("handing it to Docker")
		f, err := os.Open(tarball)
		if err != nil {
			return cacheFault(err)
		}
		defer func() { _ = f.Close() }()
		if err := s.docker.Import(ctx, f, i.String(), `CMD ["bash"]`, "LABEL "+label+"="+i.key); err != nil {
			return buildFault(err, "Docker did not take the Debian image", "run again; `docker system df` shows what Docker holds")
		}
		t.Result("%s", i)
		return nil
	})
}

// mirrors gives the lines of this machine's own apt configuration that fit, so that its mirror is used. There are none
// where this machine has another release or is no Debian; mmdebstrap then takes Debian's own, with updates and security
// fixes.
func (s *Source) mirrors(ctx context.Context) []string {
	// Each index target is one line; every release has one named Packages for each component.
	out, err := run.Output(ctx, s.run, "apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
	if err != nil {
		return nil
	}
	suite := s.pins.Debian.Suite
	var lines []string
	complete := false
	seen := map[string]bool{}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) != 3 || f[2] != "main" || seen[line] {
			continue
		}
		if f[1] == suite || f[1] == suite+"-updates" || f[1] == suite+"-security" {
			seen[line] = true
			complete = complete || f[1] == suite
			lines = append(lines, "deb "+strings.Join(f, " "))
		}
	}
	if !complete {
		return nil
	}
	return lines
}

// aptProxy gives the proxy of this machine's apt, for the apt inside what is built here. Other proxy variables pass on
// by themselves.
func (s *Source) aptProxy(ctx context.Context) []string {
	out, err := run.Output(ctx, s.run, "apt-config", "shell", "proxy", "Acquire::http::Proxy")
	proxy, ok := strings.CutPrefix(out, "proxy=")
	if err != nil || !ok {
		return nil
	}
	return []string{"http_proxy=" + strings.Trim(proxy, "'")}
}
