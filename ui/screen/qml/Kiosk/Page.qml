import QtQuick
import Kiosk.ViewModels

// The portrait grid: a picture in the middle, question and controls below it.
GuestScreen {
    id: root

    property string heading
    property string lead
    property int headingSize: Theme.heading
    property alias picture: pictureSlot.data
    default property alias controls: controlsSlot.data
    property real pictureHeight: Theme.panelHeight * 0.275

    Item {
        id: pictureSlot

        height: root.pictureHeight
        width: parent.width
    }

    Words {
        id: headingWords

        anchors.horizontalCenter: parent.horizontalCenter
        anchors.top: pictureSlot.bottom
        anchors.topMargin: Theme.gap * 2
        Accessible.role: Accessible.Heading
        font.pixelSize: root.headingSize
        horizontalAlignment: Text.AlignHCenter
        objectName: "heading"
        strong: true
        text: root.heading
        width: parent.width - Theme.margin * 2
    }

    Words {
        id: leadWords

        anchors.horizontalCenter: parent.horizontalCenter
        anchors.top: headingWords.bottom
        anchors.topMargin: Theme.gap
        color: Theme.muted
        font.pixelSize: Theme.lead
        height: visible ? implicitHeight : 0
        horizontalAlignment: Text.AlignHCenter
        text: root.lead
        visible: root.lead !== ""
        width: parent.width - Theme.margin * 2
    }

    Item {
        id: controlsSlot

        anchors.bottom: parent.bottom
        anchors.bottomMargin: Theme.gap * 3
        anchors.left: parent.left
        anchors.leftMargin: Theme.margin
        anchors.right: parent.right
        anchors.rightMargin: Theme.margin
        anchors.top: leadWords.bottom
        anchors.topMargin: Theme.gap * 2
    }
}
