import QtQuick
import Kiosk.ViewModels

Page {
    id: root

    required property ProgressViewModel viewModel

    heading: viewModel.heading
    lead: viewModel.lead
    pictureHeight: Theme.panelHeight * 0.4

    picture: Item {
        anchors.bottom: parent ? parent.bottom : undefined
        anchors.bottomMargin: Theme.gap * 3
        anchors.horizontalCenter: parent ? parent.horizontalCenter : undefined
        height: width
        width: Theme.panelHeight * 0.27

        ProgressRing {
            anchors.fill: parent
        }

        Picture {
            anchors.centerIn: parent
            fill: root.viewModel.aboutKey ? "M58 44 H142 A8 8 0 0 1 150 52 V148 A8 8 0 0 1 142 156 H58 A8 8 0 0 1 50 148 V52 A8 8 0 0 1 58 44 Z" : "M62 40 H138 A6 6 0 0 1 144 46 V154 A6 6 0 0 1 138 160 H62 A6 6 0 0 1 56 154 V46 A6 6 0 0 1 62 40 Z"
            height: width
            strokes: root.viewModel.aboutKey ? "M58 44 H142 A8 8 0 0 1 150 52 V148 A8 8 0 0 1 142 156 H58 A8 8 0 0 1 50 148 V52 A8 8 0 0 1 58 44 Z M86 92 A14 14 0 1 1 85.99 92 M100 106 H134 V116 M120 106 V114" : "M62 40 H138 A6 6 0 0 1 144 46 V154 A6 6 0 0 1 138 160 H62 A6 6 0 0 1 56 154 V46 A6 6 0 0 1 62 40 Z M84 122 L96 134 L120 106"
            thin: root.viewModel.aboutKey ? "M66 60 H94" : "M72 60 H128 M72 76 H128 M72 92 H108"
            width: parent.width * 0.72
        }
    }
}
