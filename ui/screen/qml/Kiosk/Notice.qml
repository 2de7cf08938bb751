import QtQuick
import Kiosk.ViewModels

// One sentence that helps: a hint (accent), or something to put right (amber). Prominent: read from a step away.
Rectangle {
    id: root

    property string words
    property bool warning: false
    property bool prominent: false
    property string path: warning ? Glyphs.help : Glyphs.yes

    Accessible.name: words
    Accessible.role: Accessible.AlertMessage
    border.color: warning ? Theme.amber : Theme.accent
    border.width: Theme.hair
    color: warning ? Theme.amberSoft : Theme.accentSoft
    implicitHeight: Math.max(label.implicitHeight, glyph.height) + Theme.gap * (prominent ? 3 : 1.8)
    radius: Theme.radius
    visible: words !== ""

    Glyph {
        id: glyph

        anchors.left: parent.left
        anchors.leftMargin: Theme.gap * 1.5
        anchors.verticalCenter: parent.verticalCenter
        path: root.path
        tone: root.warning ? Theme.amber : Theme.accent
    }

    Words {
        id: label

        silent: true
        anchors.left: glyph.right
        anchors.leftMargin: Theme.gap
        anchors.right: parent.right
        anchors.rightMargin: Theme.gap * 1.2
        anchors.verticalCenter: parent.verticalCenter
        font.pixelSize: root.prominent ? Theme.lead : Theme.body
        strong: root.prominent
        text: root.words
    }
}
