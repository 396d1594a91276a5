package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
)

// entry is one stored file of an archive.
type entry struct {
	name string
	data []byte
}

const (
	localSig   = 0x04034b50
	centralSig = 0x02014b50
	endSig     = 0x06054b50
	localLen   = 30
	centralLen = 46
	endLen     = 22
	dosDate    = 1<<5 | 1 // 1 January 1980, the zero of the format
)

// zipSize returns the length of the archive of the entries.
func zipSize(entries []entry) int {
	n := endLen
	for _, e := range entries {
		n += localLen + centralLen + 2*len(e.name) + len(e.data)
	}
	return n
}

// zipEncode returns the archive of the entries, or an error if the format
// without its 64-bit extension cannot hold them.
func zipEncode(entries []entry) ([]byte, error) {
	size := zipSize(entries)
	if size > math.MaxUint32 || len(entries) > math.MaxUint16 {
		return nil, errors.New("more than 4 GiB or 65535 arrays")
	}
	le := binary.LittleEndian
	b := make([]byte, 0, size)
	var central []byte
	for _, e := range entries {
		// The fields that the local and the central header share.
		var common []byte
		common = le.AppendUint16(common, 20) // version needed
		common = le.AppendUint16(common, 0)  // flags
		common = le.AppendUint16(common, 0)  // stored
		common = le.AppendUint16(common, 0)  // time
		common = le.AppendUint16(common, dosDate)
		common = le.AppendUint32(common, crc32.ChecksumIEEE(e.data))
		common = le.AppendUint32(common, uint32(len(e.data)))
		common = le.AppendUint32(common, uint32(len(e.data)))
		common = le.AppendUint16(common, uint16(len(e.name)))
		common = le.AppendUint16(common, 0) // no extra field

		central = le.AppendUint32(central, centralSig)
		central = le.AppendUint16(central, 20) // version made by
		central = append(central, common...)
		central = append(central, make([]byte, 10)...) // comment, disk, attributes
		central = le.AppendUint32(central, uint32(len(b)))
		central = append(central, e.name...)

		b = le.AppendUint32(b, localSig)
		b = append(b, common...)
		b = append(b, e.name...)
		b = append(b, e.data...)
	}
	start := len(b)
	b = append(b, central...)
	b = le.AppendUint32(b, endSig)
	b = append(b, 0, 0, 0, 0) // disks
	b = le.AppendUint16(b, uint16(len(entries)))
	b = le.AppendUint16(b, uint16(len(entries)))
	b = le.AppendUint32(b, uint32(len(central)))
	b = le.AppendUint32(b, uint32(start))
	return append(b, 0, 0), nil
}

// zipDecode returns the entries of an archive that zipEncode could have
// written. They share memory with b.
func zipDecode(b []byte) ([]entry, error) {
	le := binary.LittleEndian
	if len(b) < endLen || le.Uint32(b[len(b)-endLen:]) != endSig {
		return nil, errors.New("not an archive, or cut short")
	}
	end := b[len(b)-endLen:]
	count := int(le.Uint16(end[10:]))
	start := int(le.Uint32(end[16:]))
	if start > len(b)-endLen {
		return nil, errors.New("directory outside the file")
	}
	dir := b[start : len(b)-endLen]
	var entries []entry
	next := 0 // where the next local header must be: entries are contiguous
	for range count {
		if len(dir) < centralLen || le.Uint32(dir) != centralSig {
			return nil, errors.New("damaged directory")
		}
		size, nameLen := int(le.Uint32(dir[24:])), int(le.Uint16(dir[28:]))
		if len(dir) < centralLen+nameLen || int(le.Uint32(dir[42:])) != next {
			return nil, errors.New("damaged directory")
		}
		name := string(dir[centralLen : centralLen+nameLen])
		data := next + localLen + nameLen
		if data+size > start || le.Uint32(b[next:]) != localSig {
			return nil, errors.New("entry " + quoted(name) + " outside the file")
		}
		e := entry{name, b[data : data+size : data+size]}
		if crc32.ChecksumIEEE(e.data) != le.Uint32(dir[16:]) {
			return nil, errors.New("checksum of " + quoted(name) + " does not match")
		}
		entries = append(entries, e)
		next = data + size
		dir = dir[centralLen+nameLen:]
	}
	if next != start || len(dir) != 0 {
		return nil, errors.New("bytes that belong to no entry")
	}
	return entries, nil
}
