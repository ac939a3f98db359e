// Package image makes the application's images: their names from their content, the builds, the way into a cluster's
// node, and the proof that they arrived.
package image

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// tagLength is how many hexadecimal digits of the content hash make a tag: enough that two contents of one project do
// not meet.
const tagLength = 12

// contentTag names a build by everything that goes into it: the files of the build context, the build arguments, which
// carry the base image's identity, the target stage, and the platform where it is not the engine's. The tar archive
// that a builder makes the same image from goes to pack, read once with what is named; io.Discard where only the name
// is wanted.
func contentTag(s Spec, pack io.Writer) (string, error) {
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "target %q\n", s.Target)
	if s.Platform != "" {
		_, _ = fmt.Fprintf(sum, "platform %q\n", s.Platform)
	}
	for _, k := range slices.Sorted(maps.Keys(s.Args)) {
		_, _ = fmt.Fprintf(sum, "arg %q %q\n", k, s.Args[k])
	}
	p := packer{sum: sum, tar: tar.NewWriter(pack), sent: map[string]bool{}}
	if err := p.dir(s.Dir); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil))[:tagLength], p.tar.Close()
}

// packer writes a build context as what git knows of it: files with their executable bits, links, and folders as far as
// something is in them. So neither a umask nor an owner makes a difference that the name does not tell.
type packer struct {
	sum  hash.Hash
	tar  *tar.Writer
	sent map[string]bool // folders
}

func (p *packer) dir(dir string) error {
	// A plain header in front: docker tells by the first kilobyte that this is an archive, and exact times take more.
	if err := p.folder("."); err != nil {
		return err
	}
	return Covered(dir, func(path, rel string, d fs.DirEntry) error {
		if d.IsDir() {
			return nil
		}
		return p.file(path, rel, d)
	})
}

// Covered visits everything in a build context that the image's name covers, with its path and with that below the
// context: files, and folders that are not left out.
func Covered(dir string, visit func(path, rel string, d fs.DirEntry) error) error {
	ignored, err := readIgnore(dir)
	if err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		skip, err := ignored.MatchesOrParentMatches(rel)
		if err != nil {
			return err
		}
		// A folder that is left out can be skipped whole unless a "!" pattern may bring back something below it.
		if d.IsDir() && skip && !ignored.Exclusions() {
			return filepath.SkipDir
		}
		// The builder needs the Dockerfile even where .dockerignore leaves it out.
		if skip && rel != "Dockerfile" {
			return nil
		}
		return visit(path, filepath.ToSlash(rel), d)
	})
}

func readIgnore(dir string) (*patternmatcher.PatternMatcher, error) {
	var patterns []string
	f, err := os.Open(filepath.Join(dir, ".dockerignore"))
	switch {
	case os.IsNotExist(err):
	case err != nil:
		return nil, err
	default:
		defer func() { _ = f.Close() }()
		if patterns, err = ignorefile.ReadAll(f); err != nil {
			return nil, err
		}
	}
	return patternmatcher.New(patterns)
}

// folder writes a folder, after those above it.
func (p *packer) folder(rel string) error {
	if p.sent[rel] {
		return nil
	}
	p.sent[rel] = true
	if rel != "." {
		if err := p.folder(path.Dir(rel)); err != nil {
			return err
		}
	}
	return p.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: rel + "/", Mode: 0o755})
}

// file names and writes one file. Names and lengths go in before the bytes, so that no two trees can give the same
// stream. A file's time is sent but not named, for build tools that look at it.
func (p *packer) file(name, rel string, d fs.DirEntry) error {
	if d.Type()&fs.ModeSymlink == 0 && !d.Type().IsRegular() {
		return nil // sockets and the like are not sent
	}
	if err := p.folder(path.Dir(rel)); err != nil {
		return err
	}
	if d.Type()&fs.ModeSymlink != 0 {
		to, err := os.Readlink(name)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(p.sum, "link %q %q\n", rel, to)
		return p.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: rel, Linkname: to, Mode: 0o777})
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: rel, Size: info.Size(), Mode: 0o644, ModTime: info.ModTime(), Format: tar.FormatPAX}
	executable := info.Mode()&0o100 != 0
	if executable {
		h.Mode = 0o755
	}
	_, _ = fmt.Fprintf(p.sum, "file %q %t %d\n", rel, executable, h.Size)
	if err := p.tar.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.CopyN(io.MultiWriter(p.sum, p.tar), f, h.Size)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", name, errShrunk)
	}
	return err
}

// errShrunk is of a file that was cut while it was read.
var errShrunk = errors.New("the file got shorter while it was read")

// changing tells whether an error may be of a file that was being written, and so of a moment.
func changing(err error) bool { return errors.Is(err, errShrunk) || errors.Is(err, fs.ErrNotExist) }
